# The Docker Engine: uses the one that answers on the socket, else starts one. Our containers
# have no network, so an engine that we start needs no bridge and no packet filter; it keeps the
# usual data folder, so that images made once are there the next time.
# shellcheck shell=bash

docker_socket=${VVE_DOCKER_SOCKET:-/var/run/docker.sock}
export DOCKER_HOST=unix://$docker_socket

docker_answers() {
    [[ $(curl -s -m 3 --unix-socket "$docker_socket" http://engine/_ping 2>/dev/null) == OK ]]
}

docker_systemd_runs() {
    [[ -d /run/systemd/system ]]
}

# An engine that was killed leaves pid files. When the kernel has given such a pid to another
# program, dockerd would refuse to start, or would wait for a containerd that is not there. One
# that has been running since before its package was upgraded reads "dockerd (deleted)".
docker_clear_stale() {
    local file pid program
    for file in /var/run/docker.pid:dockerd /var/run/docker/containerd/containerd.pid:containerd; do
        pid=$(cat "${file%:*}" 2>/dev/null) || continue
        program=$(readlink "/proc/${pid:-0}/exe" 2>/dev/null) || program=
        [[ ${program% (deleted)} == */"${file#*:}" ]] || rm -f "${file%:*}"
    done
}

docker_answers_or_ended() {
    docker_answers || process_gone docker
}

# Containers that an earlier engine left behind. Only called when that engine was down: then no
# daemon of ours can own them.
docker_sweep() {
    local ids
    ids=$(docker ps -aq --filter label=vve=1) || return 0
    [[ -z $ids ]] || xargs docker rm -f <<<"$ids"
}

docker_start() {
    ! docker_answers || return 0
    ((EUID == 0)) || die "No Docker Engine answers on $docker_socket; start it, or run this as root."
    if [[ $docker_socket == /var/run/docker.sock ]] && docker_systemd_runs; then
        systemctl start docker
        touch "$state/docker.unit"
        process_started=(docker "${process_started[@]}")
        wait_until 60 docker_answers || die "docker.service was started but does not answer."
    else
        docker_spawn
    fi
    docker_sweep
}

docker_spawn() {
    docker_clear_stale
    if [[ -e /var/run/docker.pid ]]; then # a live one: starting up, or ending
        wait_until 30 docker_answers_or_no_pid || die "dockerd runs but does not answer."
        ! docker_answers || return 0
    fi
    # Where the kernel has no nf_tables, --iptables=false keeps dockerd from calling iptables.
    process_spawn docker "$state/docker.log" env -u VVE_TESTS_RUN dockerd --host "$DOCKER_HOST" \
        --bridge=none --iptables=false --ip6tables=false
    if ! wait_until 60 docker_answers_or_ended || ! docker_answers; then
        die_with_log "$state/docker.log" 'dockerd did not start'
    fi
}

docker_answers_or_no_pid() {
    docker_clear_stale
    docker_answers || [[ ! -e /var/run/docker.pid ]]
}

docker_is_ours() {
    process_pid docker >/dev/null || [[ -e $state/docker.unit ]]
}

# Ends the engine when it is ours, without leaving containers of ours to the next one.
docker_stop() {
    if docker_is_ours && docker_answers; then
        docker_sweep || true
    fi
    if [[ -e $state/docker.unit ]]; then
        systemctl stop docker.socket docker || true
        rm -f "$state/docker.unit"
    fi
    process_stop docker 30
}
