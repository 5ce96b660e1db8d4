# The page: web/dist. Dependencies are fetched again only when the lock file changed, the bundle
# is made again only when a source changed; the stamps that tell lie beside the build.
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

web_build() {
    local stamp=$root/build/web.stamp sum
    local -a sources
    web_install "$root/web"
    mapfile -t sources < <(find "$root/web" \( -name node_modules -o -name dist \) -prune \
        -o -type f -print | sort)
    sum=$(web_sum "${sources[@]}")
    [[ ! -e $root/web/dist/index.html || $(cat "$stamp" 2>/dev/null) != "$sum" ]] || return 0
    (cd "$root/web" && npm run build </dev/null)
    mkdir -p "$root/build"
    printf '%s\n' "$sum" >"$stamp"
}
