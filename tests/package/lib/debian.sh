# A bare Debian to install things into. Sourced, after package.sh, by programs with mounts of their
# own. What debootstrap makes is kept in build/, so that a second run does without.
# shellcheck shell=bash

# shellcheck disable=SC2154 # package.sh sets $work
debian=$work/debian
debian_base=$package_folder/$(base_codename).tar

inside() {
    DEBIAN_FRONTEND=noninteractive chroot "$debian" "$@" </dev/null
}

debian_make_base() {
    mkdir -p "$package_folder"
    debootstrap --variant=minbase "$(base_codename)" "$work/base" "$(base_mirror)"
    tar -C "$work/base" --numeric-owner --one-file-system -cf "$debian_base.new" .
    mv "$debian_base.new" "$debian_base"
    rm -rf --one-file-system "$work/base"
}

# It reaches the mirror that this machine's apt reaches.
debian_make() {
    base_export_apt_proxy
    [[ -e $debian_base ]] || debian_make_base
    mkdir "$debian"
    tar -C "$debian" --numeric-owner -xf "$debian_base"
    mount -t proc proc "$debian/proc"
    cp /etc/resolv.conf "$debian/etc"
    cp -r /etc/apt/. "$debian/etc/apt"
    inside apt-get update
}
