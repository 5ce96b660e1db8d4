# The page: web/dist. Dependencies are fetched again only when the lock file changed, the bundle
# is made again only when a source changed, or somebody else has made another one there; the stamps
# that tell lie beside the build.
# shellcheck shell=bash

web_sum() {
    sha256sum "$@" | sha256sum
}

# web_install FOLDER: FOLDER is an npm project with a lock file.
web_install() {
    local stamp=$1/node_modules/.vve-lock sum
    sum=$(web_sum "$1/package-lock.json" "$1/package.json")
    [[ $(cat "$stamp" 2>/dev/null) != "$sum" ]] || return 0
    (cd "$1" && npm ci --no-audit --no-fund --no-update-notifier </dev/null)
    mkdir -p "$1/node_modules"
    printf '%s\n' "$sum" >"$stamp"
}

# What the bundle depends on, and is known by: its first file names all others.
web_state() {
    local -a files
    mapfile -t files < <(find "$root/web" \( -name node_modules -o -name dist \) -prune \
        -o -type f -print | sort)
    web_sum "${files[@]}" "$root/web/dist/index.html"
}

web_build() {
    local stamp=$root/build/web.stamp
    web_install "$root/web"
    [[ ! -e $root/web/dist/index.html || $(cat "$stamp" 2>/dev/null) != "$(web_state)" ]] || return 0
    # This page is the daemon's own.
    (cd "$root/web" && env -u VITE_API_BASE -u VITE_WS_URL npm run build </dev/null)
    mkdir -p "$root/build"
    web_state >"$stamp"
}
