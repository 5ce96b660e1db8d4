/* One container and the connection that is attached to it, spoken to in frames. A container is
 * created and attached ahead, started when its turn comes, and runs one program at most.
 *
 * Owned by the slot that made it, used on its thread. What the Engine holds is not removed by
 * container_close: the slot does that by id, once nothing is attached any more. */
#ifndef VVE_RUN_CONTAINER_H
#define VVE_RUN_CONTAINER_H

#include "base/err.h"
#include "base/view.h"
#include "run/docker.h"
#include "run/frames.h"

#include <stdbool.h>
#include <stdint.h>

struct container;

enum container_news {
    CONTAINER_QUIET,  /* nothing whole has come yet */
    CONTAINER_FRAME,  /* `frame` is filled, until the next call */
    CONTAINER_LOST,   /* the connection has ended: it died, or the Engine did */
    CONTAINER_BROKEN, /* it sent what it must not; stays so */
};

/* Creates and attaches, and returns when the attachment stands: no output can be lost from here
 * on. NULL: the errors of docker.h; `created->id` then names what the Engine made all the same
 * and must remove, or is empty. */
struct container *container_create(struct docker *docker, const char *body,
                                   struct docker_created *created, struct err *err);
void container_close(struct container *container); /* accepts NULL */

bool container_start(struct container *container, struct docker *docker, struct err *err);

const char *container_id(const struct container *container);
int container_fd(const struct container *container);
bool container_wants_write(const struct container *container); /* poll for POLLOUT too */

/* Reads what is there, never waits. A program that prints without end gives frames without end:
 * look at the clock between them. */
enum container_news container_next(struct container *container, struct frame *frame);

/* Queues a payload as one frame, or as several of the same type if it is long, and writes what
 * goes. container_write goes on with the rest. Errors show in container_next. */
void container_send(struct container *container, enum frame_type type, struct view payload);
void container_write(struct container *container);

/* What it said on stderr, that is, the supervisor's own complaint; for the log. */
const char *container_complaint(const struct container *container);

#endif
