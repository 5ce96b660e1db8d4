# A private Redis in $state/redis, on a Unix socket and nothing else. Every accepted run is in the
# append-only file, and at the memory limit it refuses new ones instead of forgetting old ones.
# The limit is what all clients share: results stay for ten minutes, and at 48 MB two clients that
# send and print all they may could fill it, so that everybody was refused.
# shellcheck shell=bash

redis_folder=$state/redis
redis_socket=$redis_folder/redis.sock

redis_answers() {
    [[ $(redis-cli -s "$redis_socket" ping 2>/dev/null) == PONG ]]
}

redis_answers_or_ended() {
    redis_answers || process_gone redis
}

redis_start() {
    # The kernel keeps a socket's path in 108 bytes.
    ((${#redis_socket} < 108)) || die "The path $redis_socket is too long for a Unix socket."
    export VVE_REDIS=unix:$redis_socket
    ! redis_answers || return 0
    (umask 077 && mkdir -p "$redis_folder")
    process_spawn redis "$state/redis.log" redis-server --port 0 --unixsocket "$redis_socket" \
        --unixsocketperm 700 --dir "$redis_folder" --save '' --appendonly yes \
        --maxmemory 128mb --maxmemory-policy noeviction
    if ! wait_until 30 redis_answers_or_ended || ! redis_answers; then
        die_with_log "$state/redis.log" 'redis-server did not start'
    fi
}

redis_stop() {
    process_stop redis 20
}
