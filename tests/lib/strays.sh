# Everything a test run starts carries VVE_TESTS_RUN=<this run> in its environment, however far
# it went into the background. So what was left behind is found, and nobody else's is touched.
# The Docker Engine is started without the mark: it has its own end.
# shellcheck shell=bash

export VVE_TESTS_RUN=$$.$EPOCHREALTIME

# Prints the pids of this run's processes; forks of this very shell do not carry the mark.
strays_list() {
    local file pid
    local -a files
    mapfile -t files < <(grep -lszxF "VVE_TESTS_RUN=$VVE_TESTS_RUN" /proc/[0-9]*/environ)
    for file in "${files[@]}"; do
        pid=${file//[!0-9]/}
        # grep found itself too, but is gone by now.
        [[ ! -d /proc/$pid ]] || printf '%s\n' "$pid"
    done
}

strays_none() {
    [[ -z $(strays_list) ]]
}

strays_show() {
    local pid
    for pid in $(strays_list); do
        printf '  %s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
    done
}

strays_signal() {
    local pids
    mapfile -t pids < <(strays_list)
    ((${#pids[@]} == 0)) || kill "-$1" "${pids[@]}" 2>/dev/null || true
}

strays_end() {
    strays_signal TERM
    wait_until 5 strays_none && return
    strays_signal KILL
    wait_until 5 strays_none || true
}
