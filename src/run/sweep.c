/* See sweep.h. Slot threads. Two of them may sweep at once: to remove what is gone already, or
 * is being removed, is no failure. */
#include "run/sweep.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* The sign of life is a socket bound to an address that is made of the worker's name and lies
 * in no file system: it is free again the moment its process ends. -1 with EADDRINUSE: taken.
 */
int sweep_show_alive(const char *worker)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "vve-%.100s", worker);
    socklen_t address_len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, address_len) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

/* Names are host-number-nonce. */
static bool same_host(const char *a, const char *b)
{
    size_t len = strlen(a);
    for (int dashes = 0; len > 0 && dashes < 2; len--) {
        dashes += a[len - 1] == '-';
    }
    return len > 0 && strncmp(a, b, len + 1) == 0;
}

/* False: not known. One of our own host shows itself or is dead; then its work is given back
 * without waiting for its heartbeat to run out. */
static bool owner_lives(struct claim *claim, const char *worker, const char *owner, bool *lives)
{
    int fd = sweep_show_alive(owner);
    *lives = fd < 0 && errno == EADDRINUSE;
    if (fd >= 0) {
        close(fd);
    }
    if (*lives) {
        return true;
    }
    if (fd >= 0 && same_host(worker, owner)) {
        claim_bury(claim, owner);
        return true;
    }
    return claim_worker_alive(claim, owner, lives);
}

static bool is_kept(const char *id, const char *const keep[SWEEP_KEEP_MAX])
{
    for (int i = 0; i < SWEEP_KEEP_MAX; i++) {
        if (strcmp(id, keep[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum sweep_outcome sweep_one(struct docker *docker, struct claim *claim,
                                    const char *worker, const char *const keep[SWEEP_KEEP_MAX],
                                    const struct docker_listed *item, struct err *err)
{
    bool own = strcmp(item->worker, worker) == 0;
    bool stays = own && is_kept(item->id, keep);
    if (!own && !owner_lives(claim, worker, item->worker, &stays)) {
        return SWEEP_LATER;
    }
    if (stays) {
        return SWEEP_DONE;
    }
    log_info("container.swept worker=%s container=%.12s owner=%s", worker, item->id,
             item->worker);
    if (docker_container_remove(docker, item->id, err)) {
        return SWEEP_DONE;
    }
    /* One container that cannot be removed must not keep us from working. */
    log_warn("container.left worker=%s container=%.12s code=%s reason=\"%s\"", worker, item->id,
             err->code, err->text);
    return strcmp(err->code, "engine_refused") == 0 ? SWEEP_DONE : SWEEP_FAILED;
}

enum sweep_outcome sweep_run(struct docker *docker, struct claim *claim, const char *worker,
                             const char *const keep[SWEEP_KEEP_MAX], struct err *err)
{
    struct docker_list *list = mem_alloc(sizeof *list);
    enum sweep_outcome outcome = docker_list(docker, list, err) ? SWEEP_DONE : SWEEP_FAILED;
    for (size_t i = 0; outcome == SWEEP_DONE && i < list->count; i++) {
        claim_beat(claim); /* a long list must not make us look dead ourselves */
        outcome = sweep_one(docker, claim, worker, keep, &list->items[i], err);
    }
    free(list);
    return outcome;
}
