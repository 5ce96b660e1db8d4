# The base of the runner image. Where a registry answers it is the official Python image; else
# one is made from the Debian mirror that this machine's apt is configured for, and kept.
# shellcheck shell=bash

base_official=python:3.12-alpine

base_codename() {
    sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

base_exists() {
    docker image inspect "$1" >/dev/null 2>&1
}

# The Engine asks the registry, so its mirrors and its proxy count. Fails within six seconds.
base_registry_answers() {
    curl -fs -m 6 -o /dev/null --unix-socket "$docker_socket" \
        "http://engine/distribution/$base_official/json"
}

# Prints the name of the base that is there, the official one first.
base_name() {
    local name
    for name in "$base_official" "vve-base:$(base_codename)"; do
        ! base_exists "$name" || { printf '%s' "$name"; return 0; }
    done
    return 1
}

base_ensure() {
    ! base_name >/dev/null || return 0
    if base_registry_answers && timeout 300 docker pull "$base_official"; then
        return 0
    fi
    base_make
}

# Cloud images name a list of mirrors instead of a mirror: take the first one in it.
base_mirror() {
    local uri
    # shellcheck disable=SC2016 # apt-get expands it
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
        "Codename: $(base_codename)" | head -n 1)
    case $uri in
    mirror+file:*) awk '/^[a-z]+:/ { print $1; exit }' "${uri#mirror+file:}" ;;
    *) printf '%s' "$uri" ;;
    esac
}

# debootstrap fetches with wget, which takes its proxy from the environment.
base_export_apt_proxy() {
    local http_proxy=${http_proxy:-} https_proxy=${https_proxy:-}
    eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
    [[ $http_proxy == DIRECT ]] || export http_proxy
    [[ $https_proxy == DIRECT ]] || export https_proxy
}

# What the packages need only while they are installed, and what nobody reads in a container.
base_trim() {
    rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/cache/debconf/* \
        "$1"/var/cache/ldconfig/* "$1"/var/log/* "$1"/tmp/* "$1"/usr/share/locale/* \
        "$1"/usr/share/{doc,man,info,lintian,bug}/*
}

base_make() {
    local mirror
    ((EUID == 0)) || die "The base image is missing; run this as root once to make it."
    mirror=$(base_mirror)
    [[ -n $mirror ]] || die "No registry answers and apt knows no mirror: no base image can be made."
    base_debootstrap "$(base_codename)" "$mirror"
}

# A subshell, so that its exit trap leaves no folder and no mount behind.
base_debootstrap() (
    codename=$1
    mirror=$2
    folder=$(mktemp -d /var/tmp/vve-base.XXXXXX)
    trap 'umount "$folder"/{proc,sys} 2>/dev/null || true; rm -rf --one-file-system "$folder"' EXIT
    base_export_apt_proxy
    debootstrap --variant=minbase --include=python3 "$codename" "$folder" "$mirror"
    base_trim "$folder"
    id=$(tar -C "$folder" --numeric-owner --one-file-system -c \
        --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' . |
        docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' -)
    docker run --rm --network none "$id" python3 -c 'import json, ctypes, sqlite3, ssl'
    docker tag "$id" "vve-base:$codename"
)
