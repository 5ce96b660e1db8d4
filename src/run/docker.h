/* A blocking client of the Docker Engine's API (1.41 or later) over its Unix socket. It can say
 * the handful of things that running programs needs and nothing else.
 *
 * One `struct docker` belongs to one thread. Every call has a deadline, every answer a maximum,
 * and an answer is taken whole or not at all. On failure err->code is one of
 *     engine_down     no connection, no answer in time, or an answer that was cut
 *     engine_refused  the Engine said no; err->text is what it said
 *     not_found       there is no such container, or no such image
 *     bad_answer      the answer is not what the API promises */
#ifndef VVE_RUN_DOCKER_H
#define VVE_RUN_DOCKER_H

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCKER_ID_LEN 64
#define DOCKER_ANSWER_MAX_BYTES ((size_t)1024 * 1024)
#define DOCKER_LIST_MAX 512 /* containers; more are left for the next list */

struct docker;

/* Once a process, before the first thread that uses docker_create, and after the last. */
bool docker_global_init(void);
void docker_global_finish(void);

struct docker *docker_create(const char *socket_path);
void docker_destroy(struct docker *docker); /* accepts NULL */

/* Asks for the Engine's version and settles which one is spoken from here on. To be called
 * again whenever the Engine was away. */
bool docker_negotiate(struct docker *docker, struct err *err);
bool docker_ping(struct docker *docker, struct err *err);

struct docker_created {
    char id[DOCKER_ID_LEN + 1];
    char warnings[1024]; /* the Engine's sentences, one a line; empty: none */
};
bool docker_container_create(struct docker *docker, const char *body,
                             struct docker_created *created, struct err *err);
bool docker_container_start(struct docker *docker, const char *id, struct err *err);

/* SIGKILL. One that is dead or gone already is no failure. Whoever is attached must read on or
 * have closed, else the Engine may not answer. */
bool docker_container_kill(struct docker *docker, const char *id, struct err *err);

/* Removes it, running or not. One that is gone already is no failure. */
bool docker_container_remove(struct docker *docker, const char *id, struct err *err);

/* Returns true once the container does not run, or is gone. */
bool docker_container_wait(struct docker *docker, const char *id, int timeout_ms,
                           struct err *err);

struct docker_state {
    bool running;
    bool oom_killed;
    int exit_code;
};
bool docker_container_inspect(struct docker *docker, const char *id, struct docker_state *state,
                              struct err *err);

struct docker_listed {
    char id[DOCKER_ID_LEN + 1];
    char worker[128]; /* label vve.worker; empty: it has none, or one that is too long */
};
struct docker_list {
    size_t count;
    struct docker_listed items[DOCKER_LIST_MAX];
};
/* All containers, in any state, that bear the label vve=1. */
bool docker_list(struct docker *docker, struct docker_list *list, struct err *err);

/* Asks to be attached to a container (created or running) with stdin, stdout and stderr.
 * Returns once the request is on its way: the answer's head, and behind it the stream, are to
 * be read from docker_attach_fd (non-blocking) by way of stream.h. It must have been read
 * before the container is started, or output is lost. */
struct docker_attach;
struct docker_attach *docker_attach(struct docker *docker, const char *id, struct err *err);
int docker_attach_fd(const struct docker_attach *attach);
void docker_attach_close(struct docker_attach *attach); /* accepts NULL */

/* The answers' bodies as data (pure; the calls above use them). False: bad_answer. */
bool docker_parse_version(struct view body, int *api_minor, struct err *err);
bool docker_parse_created(struct view body, struct docker_created *created, struct err *err);
bool docker_parse_state(struct view body, struct docker_state *state, struct err *err);
bool docker_parse_list(struct view body, struct docker_list *list, struct err *err);
void docker_parse_message(struct view body, char *text, size_t text_bytes); /* of a refusal */

#endif
