# Processes that outlive the script that started them. Each has a record, $state/NAME.pid, which
# holds the pid and the start time of the process: a pid that the kernel has given to somebody
# else since then has another start time, so nothing but our own process is ever signalled.
# shellcheck shell=bash

process_started=() # names of what this script started, the last one first

# Prints the start time (clock ticks since boot) of a live PID; fails for a dead or zombie one.
process_start_time() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    local -a field
    read -ra field <<<"${stat##*) }" # the name before it may hold blanks and brackets
    [[ ${field[0]} != [ZX] ]] || return 1
    printf '%s' "${field[19]}"
}

process_record() {
    local start
    start=$(process_start_time "$2") || return 1
    printf '%s %s\n' "$2" "$start" >"$state/$1.pid"
}

# Prints the pid of NAME when the recorded process is still that process.
process_pid() {
    local pid start
    { read -r pid start <"$state/$1.pid"; } 2>/dev/null || return 1
    # A dead process has no start time either: without one the record names nobody.
    [[ -n $start && $(process_start_time "$pid") == "$start" ]] || return 1
    printf '%s' "$pid"
}

# Logs tell the ids of jobs, and who knows an id may read that job's code and output. So they are
# for our user alone, and so is the folder. Not by a umask for what is spawned: the daemon's lock
# files are for the daemons of other users too.
process_make_log() {
    chmod 700 "$state"
    (umask 077 && : >>"$1")
}

# process_spawn NAME LOG COMMAND...: starts COMMAND in a session of its own, with no descriptor
# of ours but the log, so that a caller who reads our output through a pipe sees it end.
process_spawn() {
    local name=$1 output=$2
    shift 2
    process_make_log "$output"
    (
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            ((fd <= 2)) || eval "exec $fd>&-"
        done
        exec setsid "$@" </dev/null >>"$output" 2>&1
    ) &
    process_record "$name" "$!" || true # ended at once: whoever waits for it finds out
    process_started=("$name" "${process_started[@]}")
}

# process_stop NAME SECONDS: asks with SIGTERM, waits, insists with SIGKILL. A process that is
# gone already, or was never ours, is no error.
process_stop() {
    local name=$1 seconds=$2 pid
    if pid=$(process_pid "$name"); then
        kill -TERM "$pid" 2>/dev/null || true
        if ! wait_until "$seconds" process_gone "$name"; then
            kill -KILL "$pid" 2>/dev/null || true
            wait_until 10 process_gone "$name" || true
        fi
    fi
    rm -f "$state/$name.pid"
}

process_gone() {
    ! process_pid "$1" >/dev/null
}

# wait_until SECONDS COMMAND...: tries COMMAND until it succeeds; fails when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}
