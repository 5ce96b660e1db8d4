/* The daemon's configuration: constant once conf_load has returned, so every thread may read
 * it. One table of options (conf.c) gives flags, VVE_* environment variables, the config file,
 * --help and --check. Later wins: defaults, file, environment, flags; lists add up. */
#ifndef VVE_CONF_CONF_H
#define VVE_CONF_CONF_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_LIST_MAX 16

struct conf {
    /* where */
    char *listen_host;
    int listen_port;     /* 0: the kernel chooses; the log names it */
    char *redis;         /* unix:/path or tcp://host:port */
    char *docker_socket; /* path */
    char *image;
    char *runtime;  /* "" : the Engine's default */
    char *seccomp;  /* path of the profile */
    char *web_root; /* folder of the built page */
    char *lock_dir; /* folder of the slot locks, shared by all daemons of a host */
    /* role */
    bool gateway; /* serves HTTP */
    bool worker;  /* runs programs */
    int slots;
    /* limits */
    int rate_limit; /* runs a minute and client; 0: unlimited */
    int queue_max;
    int code_bytes;
    int stdin_bytes;
    int body_bytes;
    int output_bytes;
    int flood_bytes; /* dropped output beyond which a run is stopped */
    int run_ms;
    int input_ms; /* how long a run may wait for live input, all waits together */
    int memory_bytes;
    int cpu_millis; /* thousandths of a CPU */
    int pids;
    int job_ttl_s;
    int wait_ms; /* how long ?wait=true may take */
    int connections_per_client;
    int readers_per_client; /* event streams */
    int rooms_per_minute;   /* that a client may make; 0: unlimited */
    int room_people;        /* connections of a room, here */
    int room_bytes;         /* of a document, encoded */
    int rooms_bytes;        /* memory of all documents */
    int room_idle_ms;       /* an empty room is unloaded after that */
    int room_ttl_s;         /* a document is kept so long after its last edit */
    int compact_updates;    /* log entries before they become a snapshot */
    int message_bytes;      /* of a WebSocket message */
    int queue_bytes;        /* that may wait for a slow connection */
    int keepalive_ms;       /* a silent connection gets a message so often */
    int ping_ms;            /* a silent peer is asked after so long */
    int drain_ms;           /* how long a stopping daemon lets runs finish */
    /* edge */
    char *trusted_proxies[CONF_LIST_MAX]; /* addresses whose X-Forwarded-For counts */
    char *allow_origins[CONF_LIST_MAX];   /* scheme://host[:port] */
    bool metrics_public;
    /* log */
    enum log_level log_level;
    /* actions */
    bool check_only;
};

enum conf_outcome { CONF_RUN, CONF_DONE, CONF_BAD };

/* Fills `conf`. CONF_DONE: --help, --version or --check was answered on `out`. CONF_BAD: err
 * says which option, where it was set, and what it wants. */
enum conf_outcome conf_load(int argc, char **argv, struct conf *conf, FILE *out,
                            struct err *err);
void conf_finish(struct conf *conf);

#endif
