# Progress: one line a step with the time it took. What a step's commands print goes to a log
# whose end is shown only when the step fails. Descriptor 3 is the terminal while a step runs.
# Sourced by deploy/run, deploy/stop and tests/run, which set $log before the first step.
# shellcheck shell=bash

progress_step= # the title of the step that is running, empty between steps

progress_open() {
    exec 3>&1
}

say() {
    printf '%s\n' "$*" >&3
}

# One clear sentence, then the end. Works within a step too, where stderr is the log.
die() {
    [[ -z $progress_step ]] || printf 'failed\n' >&3
    progress_step=
    printf 'error: %s\n' "$*" >&3
    exit 1
}

# die_with_log FILE SENTENCE: the end of FILE first.
die_with_log() {
    [[ -z $progress_step ]] || printf 'failed\n' >&3
    progress_step=
    tail -n 15 "$1" | sed 's/^/    /' >&3
    die "$2; its log is $1."
}

# Seconds since $1 (a value of EPOCHREALTIME), one decimal.
progress_since() {
    local now=$EPOCHREALTIME
    local ms=$(((${now/[.,]/} - ${1/[.,]/}) / 1000))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# step TITLE COMMAND...: COMMAND runs in this shell and under set -e, so its failure ends the
# script; progress_report, called from the exit trap, then tells which step it was.
step() {
    local title=$1 began=$EPOCHREALTIME
    shift
    progress_step=$title
    printf '%-44s ' "$title" >&3
    printf '== %s\n' "$title" >>"$log"
    "$@" >>"$log" 2>&1
    progress_step=
    printf '%6s s\n' "$(progress_since "$began")" >&3
}

# For traps of signals: a step that was interrupted did not fail.
progress_interrupt() {
    [[ -z $progress_step ]] || printf 'interrupted\n' >&3
    progress_step=
    exit "$1"
}

progress_report() {
    [[ -n $progress_step ]] || return 0
    printf 'failed\n' >&3
    sed "1,/^== $progress_step\$/d" "$log" | tail -n 25 | sed 's/^/    /' >&3
    printf 'error: the step "%s" failed; the whole log is %s\n' "$progress_step" "$log" >&3
}
