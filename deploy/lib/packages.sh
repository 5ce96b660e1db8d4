# Debian packages: installs what is missing and nothing else. Programs that the machine has from
# elsewhere (a newer Node, another Docker) are left as they are.
# shellcheck shell=bash

# shellcheck disable=SC2034 # the scripts choose among the lists
packages_build=(gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libwebsockets-dev
    libwebsockets-evlib-uv libhiredis-dev libjansson-dev libcurl4-openssl-dev libcmocka-dev
    nodejs npm)
packages_run=(curl ca-certificates debootstrap iptables util-linux docker.io redis-server)
packages_test=(valgrind clang libclang-rt-14-dev clang-format clang-tidy shellcheck chromium
    python3 systemd systemd-container lintian dpkg-dev man-db openssl caddy nginx
    python3-configobj python3-jinja2 python3-jsonpatch python3-jsonschema python3-netifaces
    python3-oauthlib python3-requests python3-yaml)

packages_has() {
    [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

# Node 18.20 is the oldest that builds the page; an older one is replaced, a newer one is kept.
packages_node_is_fit() {
    local version major minor
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) || return 1
    IFS=. read -r major minor _ <<<"${version#v}"
    ((major > 18 || (major == 18 && minor >= 20)))
}

# Whether the package is there, or what it is wanted for.
packages_is_there() {
    case $1 in
    docker.io) command -v docker >/dev/null && { command -v dockerd >/dev/null || docker_answers; } ;;
    redis-server) command -v redis-server >/dev/null ;;
    nodejs | npm) packages_node_is_fit ;;
    *) packages_has "$1" ;;
    esac
}

packages_ensure() {
    local name missing=()
    for name in "$@"; do
        packages_is_there "$name" || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || packages_install "${missing[@]}"
}

packages_install() {
    ((EUID == 0)) || die "These packages are missing: $*. Run this as root once to install them."
    command -v apt-get >/dev/null || die "These packages are missing, and there is no apt-get: $*."
    apt-get update
    packages_hold_services
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" </dev/null
    packages_release_services
}

# Installing a server package starts the server. We start our own, so that we can end them:
# while we install, policy-rc.d tells the packages not to. A machine that has one keeps it.
packages_hold_services() {
    [[ ! -e /usr/sbin/policy-rc.d ]] || return 0
    printf '#!/bin/sh\n# vve: no services while packages are installed\nexit 101\n' \
        >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
}

# Also called by the exit traps, for an installation that was interrupted.
packages_release_services() {
    ! grep -qs '^# vve:' /usr/sbin/policy-rc.d || rm -f /usr/sbin/policy-rc.d
}

# packages_unpack NAME FOLDER: what the package holds, for one that is better not installed.
packages_unpack() {
    local folder
    [[ ! -e $2 ]] || return 0
    folder=$(mktemp -d)
    (cd "$folder" && apt-get -o APT::Sandbox::User=root download "$1")
    dpkg-deb -x "$folder"/*.deb "$folder/root"
    mkdir -p "$(dirname "$2")"
    mv "$folder/root" "$2"
    rm -r "$folder"
}
