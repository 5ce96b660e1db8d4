# Building the C programs, and running the daemon `vve`.
# shellcheck shell=bash

# daemon_build FOLDER [CMAKE-OPTION...]
daemon_build() {
    local folder=$1
    shift
    cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@"
    cmake --build "$folder"
}

# The settings that depend on where this tree lies; whoever has set one keeps it.
daemon_settings() {
    export VVE_DOCKER_SOCKET=$docker_socket
    export VVE_SECCOMP=${VVE_SECCOMP:-$root/deploy/seccomp.json}
    export VVE_WEB_ROOT=${VVE_WEB_ROOT:-$root/web/dist}
    if ((EUID == 0)) && [[ -z ${VVE_LOCK_DIR:-} ]]; then
        daemon_private_locks
    fi
}

# The daemon's own choice, /run/lock, is open to everybody: any user of this machine could take
# the locks, and no program would run. All daemons that root starts here share this folder.
daemon_private_locks() {
    export VVE_LOCK_DIR=/run/vve/slots
    install -d -m 700 "$VVE_LOCK_DIR"
}

# Prints the address at which this machine reaches a daemon that listens on HOST:PORT.
daemon_url() {
    local host=${1%:*}
    case $host in
    '' | 0.0.0.0 | '[::]' | '::' | '*') host=localhost ;;
    esac
    printf 'http://%s:%s' "$host" "${1##*:}"
}

# Somebody else's server there would be taken for ours.
daemon_port_is_taken() {
    (exec 7<>"/dev/tcp/localhost/${1##*:}") 2>/dev/null
}

daemon_ready() {
    curl -fs -m 2 -o /dev/null "$1/readyz"
}

daemon_ready_or_ended() {
    daemon_ready "$1" || process_gone daemon
}

# daemon_start HOST:PORT: its log begins anew, the one before is kept. The C library keeps some freed
# pieces of memory for each thread, and the pages around them, which it can only be told from outside
# not to do: with it, memory after many have left is half as much again as at the start.
daemon_start() {
    [[ ! -e $state/vve.log ]] || mv -f "$state/vve.log" "$state/vve.log.1"
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0 VVE_LISTEN=$1 \
        process_spawn daemon "$state/vve.log" "$root/build/bin/vve"
}

# daemon_await URL: waits until the daemon is ready to run programs.
daemon_await() {
    if ! wait_until 60 daemon_ready_or_ended "$1" || process_gone daemon || ! daemon_ready "$1"; then
        ! process_gone daemon || die_with_log "$state/vve.log" 'vve ended before it was ready'
        curl -s -m 2 "$1/readyz" >>"$state/vve.log" || true
        die_with_log "$state/vve.log" 'vve was not ready within 60 seconds'
    fi
}

# A run that is in progress may need its whole time before the daemon ends.
daemon_stop() {
    process_stop daemon 45
}
