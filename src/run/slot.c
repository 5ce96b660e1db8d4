/* See slot.h. One thread a slot; it owns its Redis connections (claim), its Engine connection
 * (docker), its containers and the job in hand.
 *
 * The life of a slot: register with Redis; reach the Engine and sweep; warm a container; take a
 * job; run it; write the result; see the old container dead; start the next, which was created
 * ahead; remove the old one and create another while the new one's interpreter comes up.
 *
 * What can go wrong, and what then:
 * - Redis is away: pauses that grow and differ; a result is kept for a minute.
 * - The Engine is away: the same; a job in hand goes back; then negotiate and sweep anew.
 * - A warm container dies: seen on its connection; another is warmed, no attempt is used up.
 * - A container dies in a run: if for memory or by itself, that is the result; if killed from
 *   outside, or the Engine is away too, the job goes back with its attempt used up.
 * - An old container does not die: nothing is started before it is dead or gone. */
#include "run/slot.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/claim.h"
#include "run/container.h"
#include "run/docker.h"
#include "run/spec.h"
#include "run/sweep.h"

#define READY_MS 20000
#define TAKE_MS 5000
#define PING_EVERY_MS 10000
#define DEAD_MS 5000
#define SETTLE_MS 60000
#define PAUSE_MIN_MS 100u
#define PAUSE_MAX_MS 2000u
#define WARM_TRIES 3 /* containers tried for one job before it goes back */

struct slot {
    struct slot_setup setup;
    int name_fd; /* says to sweeps of other daemons that we live; -1: it cannot */
    char name[SLOT_NAME_MAX];
    char *body; /* of the create call */
    struct claim *claim;
    struct docker *docker;
    struct container *warm;        /* started, READY has come */
    struct container *spare;       /* created and attached, not started */
    char dying[DOCKER_ID_LEN + 1]; /* must be dead before another starts; empty: none */
    char dead[DOCKER_ID_LEN + 1];  /* dead or never started, to be removed; empty: none */
    bool engine_reached;
    bool sweep_due;
    bool warned; /* about the Engine's warnings, once a start */
    unsigned pause_ms;
    struct slot_health health;
};

/* --- health ------------------------------------------------------------------------------- */

static void changed(struct slot *slot)
{
    slot->setup.on_change(slot->setup.change_context);
}

static void set_flag(struct slot *slot, atomic_bool *flag, bool value)
{
    if (atomic_exchange(flag, value) != value) {
        changed(slot);
    }
}

static void engine_answered(struct slot *slot)
{
    atomic_store(&slot->health.engine_at, clock_mono_ms());
}

static void redis_answered(struct slot *slot)
{
    if (atomic_exchange(&slot->health.redis_at, clock_mono_ms()) == 0) {
        changed(slot);
    }
}

static const char *describe(const char *code)
{
    static const char *const sentences[][2] = {
        {"engine_down", "the Docker Engine does not answer"},
        {"engine_refused", "the Docker Engine refuses to run containers"},
        {"not_found", "the Docker Engine does not have the runner image"},
        {"bad_answer", "the Docker Engine's answers are not understood"},
        {"limits_not_applied", "the Docker Engine does not apply the memory or process limits"},
        {"not_ready", "a container was started but did not get ready"},
    };
    for (size_t i = 0; code != NULL && i < sizeof sentences / sizeof sentences[0]; i++) {
        if (strcmp(code, sentences[i][0]) == 0) {
            return sentences[i][1];
        }
    }
    return "the Docker Engine is not usable";
}

/* Logged when the kind of failure changes, not each time it is met again. */
static void engine_failed(struct slot *slot, const struct err *err)
{
    const char *sentence = describe(err->code);
    slot->engine_reached = false;
    slot->sweep_due = true;
    atomic_store(&slot->health.proven, false);
    atomic_fetch_add(&slot->health.engine_failures, 1);
    if (atomic_exchange(&slot->health.engine_error, sentence) != sentence) {
        log_error("engine.failed worker=%s code=%s reason=\"%s\"", slot->name, err->code,
                  err->text);
        changed(slot);
    }
}

static void engine_works(struct slot *slot)
{
    engine_answered(slot);
    if (atomic_exchange(&slot->health.engine_error, NULL) != NULL) {
        log_info("engine.back worker=%s", slot->name);
        changed(slot);
    }
}

/* --- waiting ------------------------------------------------------------------------------ */

static bool stopping(const struct slot *slot)
{
    return atomic_load(&slot->setup.stop->drain_until) != 0;
}

static bool drained(const struct slot *slot)
{
    int64_t until = atomic_load(&slot->setup.stop->drain_until);
    return until != 0 && clock_mono_ms() >= until;
}

static bool beat(struct slot *slot)
{
    bool ok = claim_beat(slot->claim) == CLAIM_OK;
    if (ok) {
        redis_answered(slot);
    }
    return ok;
}

/* A pause that grows and is different each time, and ends at once when the daemon stops. */
static void pause_a_little(struct slot *slot)
{
    slot->pause_ms = slot->pause_ms == 0 ? PAUSE_MIN_MS : slot->pause_ms * 2;
    if (slot->pause_ms > PAUSE_MAX_MS) {
        slot->pause_ms = PAUSE_MAX_MS;
    }
    struct pollfd fd = {stopping(slot) ? -1 : slot->setup.stop->fd, POLLIN, 0};
    poll(&fd, 1, (int)(slot->pause_ms / 2 + id_below(slot->pause_ms / 2 + 1)));
}

/* --- ending containers -------------------------------------------------------------------- */

static void remove_dead(struct slot *slot)
{
    struct err err;
    if (slot->dead[0] == '\0') {
        return;
    }
    if (!docker_container_remove(slot->docker, slot->dead, &err)) {
        log_warn("container.left worker=%s container=%.12s reason=\"%s\"", slot->name,
                 slot->dead, err.text);
        slot->sweep_due = true;
    }
    slot->dead[0] = '\0';
}

/* Sees the old container dead; kills it if it does not die by itself. */
static bool see_dead(struct slot *slot, struct err *err)
{
    if (slot->dying[0] == '\0') {
        return true;
    }
    if (!docker_container_wait(slot->docker, slot->dying, DEAD_MS, err)) {
        beat(slot);
        docker_container_kill(slot->docker, slot->dying, NULL);
        if (!docker_container_wait(slot->docker, slot->dying, DEAD_MS, err)) {
            return false;
        }
    }
    engine_answered(slot);
    beat(slot);
    remove_dead(slot); /* an older one, if its turn has not come yet */
    memcpy(slot->dead, slot->dying, sizeof slot->dead);
    slot->dying[0] = '\0';
    return true;
}

/* The connection is closed first: the Engine may not answer a kill while nobody reads, and a
 * supervisor whose stdin ends kills everything and exits. */
static void retire(struct slot *slot, bool kill)
{
    const char *complaint = container_complaint(slot->warm);
    if (complaint[0] != '\0') {
        log_warn("container.complains worker=%s container=%.12s text=\"%s\"", slot->name,
                 container_id(slot->warm), complaint);
    }
    snprintf(slot->dying, sizeof slot->dying, "%s", container_id(slot->warm));
    container_close(slot->warm);
    slot->warm = NULL;
    set_flag(slot, &slot->health.warm, false);
    if (kill) {
        docker_container_kill(slot->docker, slot->dying, NULL);
    }
}

/* --- making containers -------------------------------------------------------------------- */

static bool host_swaps(void)
{
    char text[512] = "";
    FILE *file = fopen("/proc/swaps", "re");
    if (file == NULL) {
        return true; /* not known: be careful */
    }
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    const char *head_end = memchr(text, '\n', len);
    return head_end != NULL && head_end[1] != '\0';
}

static bool check_warnings(struct slot *slot, const char *warnings, struct err *err)
{
    if (warnings[0] == '\0' || slot->warned) {
        return true;
    }
    if (!spec_limits_hold(warnings, host_swaps(), err)) {
        return false;
    }
    slot->warned = true;
    log_warn("engine.remarks worker=%s text=\"%s\"", slot->name, warnings);
    return true;
}

static void discard_spare(struct slot *slot)
{
    if (slot->spare != NULL) {
        char id[DOCKER_ID_LEN + 1];
        snprintf(id, sizeof id, "%s", container_id(slot->spare));
        container_close(slot->spare);
        slot->spare = NULL;
        docker_container_remove(slot->docker, id, NULL);
    }
}

/* A container created ahead, unless there is one whose connection still stands. */
static bool make_spare(struct slot *slot, struct err *err)
{
    struct frame frame;
    struct docker_created created;
    if (slot->spare != NULL && container_next(slot->spare, &frame) == CONTAINER_QUIET) {
        return true;
    }
    discard_spare(slot);
    beat(slot);
    slot->spare = container_create(slot->docker, slot->body, &created, err);
    beat(slot);
    if (slot->spare == NULL && created.id[0] != '\0') {
        docker_container_remove(slot->docker, created.id, NULL);
    }
    if (slot->spare == NULL || check_warnings(slot, created.warnings, err)) {
        return slot->spare != NULL;
    }
    discard_spare(slot);
    return false;
}

/* Waits for READY. False: the container is of no use. */
static bool await_ready(struct slot *slot, struct err *err)
{
    int64_t give_up_at = clock_mono_ms() + READY_MS;
    for (;;) {
        struct frame frame;
        enum container_news news = container_next(slot->warm, &frame);
        if (news == CONTAINER_FRAME && frame.type == FRAME_READY) {
            return true;
        }
        int64_t left = give_up_at - clock_mono_ms();
        if (news != CONTAINER_QUIET || left <= 0 || stopping(slot)) {
            return err_set(err, "not_ready", "a container did not get ready: %.120s",
                           container_complaint(slot->warm));
        }
        struct pollfd fds[2] = {{container_fd(slot->warm), POLLIN, 0},
                                {slot->setup.stop->fd, POLLIN, 0}};
        poll(fds, 2, (int)(left < CLAIM_BEAT_MS ? left : CLAIM_BEAT_MS));
        beat(slot);
    }
}

/* Starts the spare. From here on it is `warm`, though only `await_ready` makes it so. */
static bool start_spare(struct slot *slot, struct err *err)
{
    slot->warm = slot->spare;
    slot->spare = NULL;
    if (!container_start(slot->warm, slot->docker, err)) {
        retire(slot, true);
        return false;
    }
    engine_answered(slot);
    return true;
}

/* A warm container where there was none. What does not need the new container's processor time
 * to be finished is done while its interpreter comes up. */
static bool make_warm(struct slot *slot, struct err *err)
{
    if (!see_dead(slot, err) || !make_spare(slot, err) || !start_spare(slot, err)) {
        return false;
    }
    beat(slot);
    remove_dead(slot);
    struct err later; /* of the spare after this one: met again when its turn comes */
    make_spare(slot, &later);
    if (!await_ready(slot, err)) {
        retire(slot, true);
        return false;
    }
    set_flag(slot, &slot->health.proven, true);
    set_flag(slot, &slot->health.warm, true);
    return true;
}

/* --- the Engine --------------------------------------------------------------------------- */

/* False: the Engine failed. */
static bool sweep(struct slot *slot, struct err *err)
{
    const char *const keep[SWEEP_KEEP_MAX] = {
        slot->warm != NULL ? container_id(slot->warm) : "",
        slot->spare != NULL ? container_id(slot->spare) : "",
        slot->dying,
        slot->dead,
    };
    enum sweep_outcome outcome = sweep_run(slot->docker, slot->claim, slot->name, keep, err);
    slot->sweep_due = outcome != SWEEP_DONE;
    return outcome != SWEEP_FAILED;
}

static bool reach_engine(struct slot *slot, struct err *err)
{
    if (!docker_negotiate(slot->docker, err)) {
        return false;
    }
    engine_answered(slot);
    slot->engine_reached = true;
    return true;
}

/* --- jobs --------------------------------------------------------------------------------- */

static void give_back(struct slot *slot, const struct job *job, bool used_attempt)
{
    log_warn("job.returned worker=%s job=%s attempt_used=%s", slot->name, job->id,
             used_attempt ? "yes" : "no");
    int64_t give_up_at = clock_mono_ms() + SETTLE_MS;
    while (claim_give_back(slot->claim, job, used_attempt) == CLAIM_DOWN) {
        if (clock_mono_ms() >= give_up_at || drained(slot)) {
            return; /* it lies in our taken-list: we, or the reaper, will find it there */
        }
        pause_a_little(slot);
    }
}

/* Writes the result; then lets go of the container, so that nobody waits for the Engine; then,
 * if Redis is away, tries again and again. */
static void settle(struct slot *slot, struct run *run, bool kill)
{
    int64_t give_up_at = clock_mono_ms() + SETTLE_MS;
    enum claim_outcome outcome = run_settle(run);
    if (slot->warm != NULL) {
        retire(slot, kill);
    }
    while (outcome == CLAIM_DOWN && clock_mono_ms() < give_up_at && !drained(slot)) {
        pause_a_little(slot);
        outcome = run_settle(run);
    }
    slot->pause_ms = 0;
    if (outcome == CLAIM_DOWN) {
        log_error("job.unsettled worker=%s job=%s", slot->name, run->job->id);
        return;
    }
    atomic_fetch_add(&slot->health.runs, 1);
    log_info("job.ended worker=%s job=%s status=%s wall_ms=%lld events=%u", slot->name,
             run->job->id, job_state_name(run->result.state), (long long)run->result.wall_ms,
             run->feed.events);
}

/* The container went away in mid-run. Its own end is a result; a kill from outside, or an
 * Engine that is away, is no fault of the program's: it goes back, with the attempt used up. */
static void settle_lost(struct slot *slot, struct run *run)
{
    struct docker_state state = {0};
    struct err err;
    retire(slot, false);
    bool known = docker_container_wait(slot->docker, slot->dying, DEAD_MS, &err) &&
                 docker_container_inspect(slot->docker, slot->dying, &state, &err);
    bool killed = state.exit_code == 128 + SIGKILL || state.exit_code == 128 + SIGTERM;
    if (!known) {
        engine_failed(slot, &err);
    }
    if (run->interrupted_at == 0 && (!known || (killed && !state.oom_killed))) {
        give_back(slot, run->job, true);
        return;
    }
    run_judge_lost(run, state.oom_killed);
    settle(slot, run, false);
}

/* Runs the job in the warm container, or in another if that one fails before the program began.
 */
static enum run_outcome try_containers(struct slot *slot, struct run *run)
{
    enum run_outcome outcome = RUN_NOT_STARTED;
    for (int i = 0; i < WARM_TRIES && outcome == RUN_NOT_STARTED; i++) {
        struct err err;
        if (slot->warm == NULL && !make_warm(slot, &err)) {
            engine_failed(slot, &err);
            return RUN_NOT_STARTED;
        }
        outcome = run_execute(run, slot->warm);
        if (outcome == RUN_NOT_STARTED) {
            retire(slot, true);
        }
    }
    return outcome;
}

static void run_started(struct slot *slot, struct run *run)
{
    enum run_outcome outcome = try_containers(slot, run);
    switch (outcome) {
    case RUN_ENDED:
    case RUN_CUT:
        settle(slot, run, outcome == RUN_CUT);
        break;
    case RUN_LOST:
        settle_lost(slot, run);
        break;
    case RUN_NOT_STARTED:
        give_back(slot, run->job, slot->engine_reached);
        break;
    case RUN_DRAINED:
        retire(slot, true);
        give_back(slot, run->job, false);
        break;
    default:
        log_info("job.disowned worker=%s job=%s", slot->name, run->job->id);
        retire(slot, true);
        break;
    }
}

/* A warm container says nothing while it waits. If it does, or has gone, it is of no use. */
static bool still_warm(struct slot *slot)
{
    struct frame frame;
    if (slot->warm != NULL && container_next(slot->warm, &frame) != CONTAINER_QUIET) {
        log_warn("container.lost worker=%s container=%.12s", slot->name,
                 container_id(slot->warm));
        retire(slot, true);
    }
    return slot->warm != NULL;
}

static void run_job(struct slot *slot, const struct job *job)
{
    struct err err;
    bool hit = still_warm(slot);
    atomic_fetch_add(hit ? &slot->health.warm_hits : &slot->health.warm_misses, 1);
    if (!hit && !make_warm(slot, &err)) {
        engine_failed(slot, &err);
        give_back(slot, job, false);
        return;
    }
    set_flag(slot, &slot->health.warm, false);
    int64_t started_at = clock_wall_ms();
    enum claim_outcome outcome = claim_start(slot->claim, job, started_at);
    if (outcome != CLAIM_OK) {
        set_flag(slot, &slot->health.warm, true);
        if (outcome == CLAIM_DOWN) {
            pause_a_little(slot); /* the next take finds the job again */
        }
        return;
    }
    slot->pause_ms = 0;
    struct run run;
    run_init(&run, slot->setup.conf, slot->setup.stop, slot->claim, job, started_at);
    run_started(slot, &run);
    run_finish(&run);
}

static void ping_if_due(struct slot *slot)
{
    struct err err;
    if (clock_mono_ms() - atomic_load(&slot->health.engine_at) < PING_EVERY_MS) {
        return;
    }
    if (docker_ping(slot->docker, &err)) {
        engine_answered(slot);
    } else {
        engine_failed(slot, &err);
    }
}

/* Waits for one job and runs it, or returns after a while without. */
static void serve(struct slot *slot)
{
    const int wake_fds[2] = {container_fd(slot->warm), slot->setup.stop->fd};
    struct job job = {0};
    switch (claim_take(slot->claim, TAKE_MS, wake_fds, &job)) {
    case CLAIM_OK:
        redis_answered(slot);
        set_flag(slot, &slot->health.busy, true);
        run_job(slot, &job);
        job_finish(&job);
        set_flag(slot, &slot->health.busy, false);
        break;
    case CLAIM_NOTHING:
        slot->pause_ms = 0;
        redis_answered(slot);
        ping_if_due(slot);
        break;
    case CLAIM_WOKEN:
        still_warm(slot);
        break;
    case CLAIM_DOWN:
        pause_a_little(slot);
        break;
    }
}

/* --- life --------------------------------------------------------------------------------- */

/* Everything a slot needs before it may take a job. The heartbeat comes first: a container
 * whose worker has none is fair game for any sweep. */
static bool prepare(struct slot *slot)
{
    struct err err;
    if (!beat(slot)) {
        return false;
    }
    if ((!slot->engine_reached && !reach_engine(slot, &err)) ||
        (slot->sweep_due && !sweep(slot, &err)) ||
        (slot->warm == NULL && !make_warm(slot, &err)) || !make_spare(slot, &err)) {
        if (!stopping(slot)) {
            engine_failed(slot, &err);
        }
        return false;
    }
    engine_works(slot);
    return true;
}

static void leave(struct slot *slot)
{
    struct err err;
    if (slot->warm != NULL) {
        retire(slot, true);
    }
    discard_spare(slot);
    if (!see_dead(slot, &err)) {
        log_warn("container.left worker=%s container=%.12s reason=\"%s\"", slot->name,
                 slot->dying, err.text);
    }
    remove_dead(slot);
    claim_leave(slot->claim);
}

void slot_run(struct slot *slot)
{
    log_info("slot.started worker=%s", slot->name);
    while (!stopping(slot)) {
        if (prepare(slot)) {
            serve(slot);
        } else {
            pause_a_little(slot);
        }
    }
    leave(slot);
    log_info("slot.stopped worker=%s", slot->name);
    atomic_store(&slot->health.ended, true);
    changed(slot);
}

/* host-number-nonce, of characters that a label, a key and a log line all take. */
static void make_name(char name[SLOT_NAME_MAX], int number)
{
    char host[64] = "";
    char nonce[17];
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '.' && *c != '-') {
            *c = '_';
        }
    }
    id_nonce(nonce);
    snprintf(name, SLOT_NAME_MAX, "%s-%d-%s", host[0] != '\0' ? host : "host", number, nonce);
}

struct slot *slot_create(const struct slot_setup *setup)
{
    struct slot *slot = mem_alloc(sizeof *slot);
    slot->setup = *setup;
    slot->sweep_due = true;
    make_name(slot->name, setup->number);
    slot->name_fd = sweep_show_alive(slot->name);
    slot->body = spec_format(setup->conf, view_of(setup->seccomp), slot->name);
    slot->claim = claim_create(setup->conf, slot->name, &slot->health.moved_at);
    slot->docker = docker_create(setup->conf->docker_socket);
    return slot;
}

void slot_destroy(struct slot *slot)
{
    if (slot != NULL) {
        claim_destroy(slot->claim);
        docker_destroy(slot->docker);
        if (slot->name_fd >= 0) {
            close(slot->name_fd);
        }
        free(slot->body);
        free(slot);
    }
}

const struct slot_health *slot_health(const struct slot *slot)
{
    return &slot->health;
}
