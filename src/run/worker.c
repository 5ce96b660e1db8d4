/* See worker.h. The loop thread owns the worker; each slot thread runs slot_run and touches
 * nothing of it but the stop flag and the callback.
 *
 * A slot of the host is a lock (flock) on a file that is named after the Engine's socket, so
 * that however many daemons share an Engine, no more than HOST_SLOTS programs run on it. */
#include "run/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/docker.h"
#include "run/slot.h"
#include "run/spec.h"

#define HOST_SLOTS 2
#define FRESH_MS 30000
#define STACK_BYTES ((size_t)512 * 1024)

struct seat {
    struct slot *slot; /* NULL: this daemon does not hold it */
    pthread_t thread;
    int lock_fd;
};

struct worker {
    const struct conf *conf;
    struct run_stop stop;
    char *seccomp;
    worker_on_change *on_change;
    void *context;
    struct seat seats[HOST_SLOTS];
};

/* --- locks -------------------------------------------------------------------------------- */

/* Two names of one socket (/run and /var/run) are one Engine. */
static void lock_path(const struct conf *conf, int number, char path[PATH_MAX])
{
    char real[PATH_MAX];
    const char *socket = realpath(conf->docker_socket, real);
    snprintf(
        path, PATH_MAX, "%.3000s/vve-%016llx-slot-%d.lock", conf->lock_dir,
        (unsigned long long)hash_of(view_of(socket != NULL ? socket : conf->docker_socket)),
        number);
}

/* The lock's descriptor; -1: somebody else has it, or, with err set, it cannot be opened. The
 * file may belong to another user's daemon: to open it for reading is enough. */
static int take_lock(const struct conf *conf, int number, struct err *err)
{
    char path[PATH_MAX];
    lock_path(conf, number, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    }
    if (fd < 0) {
        err_set(err, "lock_failed", "The slot's lock %.150s cannot be opened: %s.", path,
                strerrordesc_np(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- threads ------------------------------------------------------------------------------ */

static void *seat_main(void *argument)
{
    struct slot *slot = argument;
    pthread_setname_np(pthread_self(), "slot");
    slot_run(slot);
    return NULL;
}

static bool start_thread(struct seat *seat)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    bool ok = pthread_create(&seat->thread, &attributes, seat_main, seat->slot) == 0;
    pthread_attr_destroy(&attributes);
    return ok;
}

static void leave_seat(struct seat *seat)
{
    slot_destroy(seat->slot);
    seat->slot = NULL;
    close(seat->lock_fd);
}

/* False: no lock or no thread could be made. A seat that somebody else holds stays empty. */
static bool take_seat(struct worker *worker, int number, struct err *err)
{
    struct seat *seat = &worker->seats[number];
    struct err why = {.code = NULL};
    seat->lock_fd = take_lock(worker->conf, number, &why);
    if (seat->lock_fd < 0) {
        return why.code == NULL || err_set(err, why.code, "%s", why.text);
    }
    struct slot_setup setup = {
        .conf = worker->conf,
        .stop = &worker->stop,
        .seccomp = worker->seccomp,
        .number = number,
        .on_change = worker->on_change,
        .change_context = worker->context,
    };
    seat->slot = slot_create(&setup);
    if (!start_thread(seat)) {
        leave_seat(seat);
        return err_set(err, "worker_failed",
                       "The threads that run programs cannot be started.");
    }
    return true;
}

static int count_seats(const struct worker *worker)
{
    int count = 0;
    for (int i = 0; i < HOST_SLOTS; i++) {
        count += worker->seats[i].slot != NULL;
    }
    return count;
}

static bool take_free_seats(struct worker *worker, struct err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < HOST_SLOTS && count_seats(worker) < worker->conf->slots; i++) {
        ok = worker->seats[i].slot != NULL || take_seat(worker, i, err);
    }
    return ok;
}

struct worker *worker_start(const struct conf *conf, worker_on_change *on_change, void *context,
                            struct err *err)
{
    char *seccomp = spec_read_seccomp(conf->seccomp, err);
    if (seccomp == NULL) {
        return NULL;
    }
    struct worker *worker = mem_alloc(sizeof *worker);
    *worker = (struct worker){
        .conf = conf, .seccomp = seccomp, .on_change = on_change, .context = context};
    worker->stop.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = worker->stop.fd >= 0 && docker_global_init();
    if (!ok) {
        err_set(err, "worker_failed", "The worker's descriptors cannot be made.");
    }
    if (!ok || !take_free_seats(worker, err)) {
        worker_destroy(worker);
        return NULL;
    }
    log_info("worker.started slots=%d%s", count_seats(worker),
             count_seats(worker) == 0 ? " note=\"this host's slots are taken; gateway only\""
                                      : "");
    return worker;
}

void worker_take_free_slots(struct worker *worker)
{
    int before = count_seats(worker);
    if (atomic_load(&worker->stop.drain_until) == 0) {
        take_free_seats(worker, NULL); /* what fails now may not fail the next time */
    }
    if (count_seats(worker) > before) {
        log_info("worker.took_over slots=%d", count_seats(worker) - before);
    }
}

void worker_stop(struct worker *worker)
{
    if (atomic_load(&worker->stop.drain_until) == 0) {
        atomic_store(&worker->stop.drain_until, clock_mono_ms() + worker->conf->drain_ms);
        eventfd_write(worker->stop.fd, 1);
    }
}

bool worker_stopped(const struct worker *worker)
{
    for (int i = 0; i < HOST_SLOTS; i++) {
        const struct slot *slot = worker->seats[i].slot;
        if (slot != NULL && !atomic_load(&slot_health(slot)->ended)) {
            return false;
        }
    }
    return true;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    worker_stop(worker);
    for (int i = 0; i < HOST_SLOTS; i++) {
        if (worker->seats[i].slot != NULL) {
            pthread_join(worker->seats[i].thread, NULL);
            leave_seat(&worker->seats[i]);
        }
    }
    docker_global_finish();
    if (worker->stop.fd >= 0) {
        close(worker->stop.fd);
    }
    free(worker->seccomp);
    free(worker);
}

/* --- health ------------------------------------------------------------------------------- */

bool worker_moves(const struct worker *worker)
{
    int64_t oldest = clock_mono_ms() - FRESH_MS;
    for (int i = 0; i < HOST_SLOTS; i++) {
        const struct slot *slot = worker->seats[i].slot;
        if (slot != NULL && !atomic_load(&slot_health(slot)->ended) &&
            atomic_load(&slot_health(slot)->moved_at) < oldest) {
            return false;
        }
    }
    return true;
}

static void add_health(const struct slot_health *slot, struct worker_health *sum)
{
    int64_t oldest = clock_mono_ms() - FRESH_MS;
    bool busy = atomic_load(&slot->busy);
    bool redis_fresh = atomic_load(&slot->redis_at) > oldest;
    bool engine_fresh = busy || atomic_load(&slot->engine_at) > oldest;
    const char *error = atomic_load(&slot->engine_error);
    bool proven = atomic_load(&slot->proven);
    sum->slots++;
    sum->slots_alive += proven && redis_fresh && engine_fresh && error == NULL;
    sum->slots_warm += atomic_load(&slot->warm);
    sum->slots_busy += busy;
    sum->runs += atomic_load(&slot->runs);
    sum->warm_hits += atomic_load(&slot->warm_hits);
    sum->warm_misses += atomic_load(&slot->warm_misses);
    sum->engine_failures += atomic_load(&slot->engine_failures);
    sum->engine_error = error != NULL ? error : sum->engine_error;
}

void worker_health(const struct worker *worker, struct worker_health *health)
{
    *health = (struct worker_health){.slots = 0};
    for (int i = 0; i < HOST_SLOTS; i++) {
        if (worker->seats[i].slot != NULL) {
            add_health(slot_health(worker->seats[i].slot), health);
        }
    }
}
