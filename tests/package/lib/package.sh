# Making the package, and telling what holds of it. Sourced by the programs of this folder.
# shellcheck shell=bash

. "$(dirname "${BASH_SOURCE[0]}")/../../../deploy/lib/load.sh"
package_folder=$root/build/package
work=$(mktemp -d)
passed=0
failed=0

# Makes it of what build/ and web/dist/ hold, and prints its name.
package_make() {
    rm -f "$package_folder"/*.deb
    cpack --config "$root/build/CPackConfig.cmake" -G DEB -B "$package_folder" >"$work/cpack" 2>&1 ||
        { cat "$work/cpack" >&2; return 1; }
    printf '%s\n' "$package_folder"/*.deb
}

# holds SENTENCE COMMAND...: one test case; what COMMAND prints is shown if it fails. It runs in the
# background because a function whose result is asked for runs without set -e.
holds() {
    local sentence=$1
    shift
    ("$@") >"$work/output" 2>&1 &
    if wait $!; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$sentence"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$sentence"
        sed 's/^/    /' "$work/output"
    fi
}

# silent COMMAND...: it succeeds and has nothing to say.
silent() {
    local said
    said=$("$@" 2>&1)
    printf '%s\n' "$said"
    [[ -z $said ]]
}

# The last line, and the exit status.
report() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}
