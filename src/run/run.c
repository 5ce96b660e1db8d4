/* See run.h. Slot thread; owned by the slot for as long as it has the job.
 *
 * How a run ends, in the order in which causes count:
 *   the end frame came     cancelled if somebody cancelled; timed_out if it says more time than
 *                          is allowed; out_of_memory if SIGKILL and the kernel counted a kill;
 *                          failed (flood, signal, exit code) or completed
 *   a malformed frame      error: the container cannot be trusted
 *   connection ended       not started, or lost: the slot asks the Engine why
 *   cancel, 300 ms ago     cancelled; the supervisor kills the program and tells its figures
 *   deadline               timed_out, likewise; if it does not tell within 300 ms, the
 *                          container is killed
 *   daemon stops           the job goes back to the queue
 *
 * Redis away: output waits in the feed, nothing else changes. */
#include "run/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define START_MS 5000
#define INTERRUPT_MS 300
#define KILL_MS 300
#define LOOK_EVERY_MS 200
#define RETRY_MS 250
#define FRAMES_A_TURN 16384 /* more than an honest supervisor has to say in a whole run */

void run_init(struct run *run, const struct conf *conf, const struct run_stop *stop,
              struct claim *claim, const struct job *job, int64_t started_at)
{
    *run = (struct run){
        .conf = conf,
        .stop = stop,
        .claim = claim,
        .job = job,
        .result = {.state = JOB_RUNNING, .started_at = started_at},
    };
    feed_init(&run->feed, (size_t)conf->output_bytes, conf->run_ms);
}

void run_finish(struct run *run)
{
    feed_finish(&run->feed);
}

/* --- results ------------------------------------------------------------------------------ */

static int64_t clamp(uint64_t value)
{
    return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

static void set_error(struct run *run, enum job_state state, const char *code, const char *text)
{
    run->result.state = state;
    run->result.error_code = code;
    run->result.error_text = text;
}

static void set_exit(struct run *run, const struct frame_end *end)
{
    if (end->signal == 0) {
        run->result.has_exit_code = true;
        run->result.exit_code = end->exit_code;
        return;
    }
    const char *name = sigabbrev_np(end->signal);
    snprintf(run->signal, sizeof run->signal, name != NULL ? "SIG%s" : "SIGRTMIN+%.0s%d",
             name != NULL ? name : "", end->signal - SIGRTMIN);
    run->result.signal = run->signal;
}

/* The one cause of an end that the supervisor has told. */
static void judge_end(struct run *run, const struct frame_end *end)
{
    struct job_result *result = &run->result;
    result->wall_ms = clamp(end->wall_us / 1000);
    result->cpu_ms = clamp(end->cpu_us / 1000);
    result->memory_bytes = clamp(end->memory_bytes);
    result->dropped_bytes = clamp(end->dropped_bytes);
    if (run->killed_at != 0 || run->interrupted_at != 0) {
        result->state = run->killed_at != 0 ? run->kill_state : JOB_CANCELLED;
        return;
    }
    if (result->wall_ms > run->conf->run_ms) {
        result->state = JOB_TIMED_OUT;
        return;
    }
    if (end->flooded != 0) {
        set_error(run, JOB_FAILED, "output_limit",
                  "The program wrote far more output than is kept and was stopped.");
        return;
    }
    if (end->signal == SIGKILL && end->oom_kills > 0) {
        result->state = JOB_OUT_OF_MEMORY;
        return;
    }
    set_exit(run, end);
    result->state = end->signal == 0 && end->exit_code == 0 ? JOB_COMPLETED : JOB_FAILED;
}

/* The end that we make ourselves: the supervisor did not come to tell its figures. */
static void judge_cut(struct run *run)
{
    run->result.state = run->kill_state;
    run->result.wall_ms = run->killed_at - run->started_at;
}

void run_judge_lost(struct run *run, bool oom_killed)
{
    if (run->interrupted_at != 0) {
        run->result.state = JOB_CANCELLED;
    } else if (oom_killed) {
        run->result.state = JOB_OUT_OF_MEMORY;
    } else {
        set_error(run, JOB_ERROR, "runner_failed",
                  "The container ended before the program did. Please run it again.");
    }
}

/* --- what comes from the container -------------------------------------------------------- */

static enum run_outcome malformed(struct run *run)
{
    set_error(run, JOB_ERROR, "runner_failed",
              "The container sent what is not understood. Please run it again.");
    return RUN_CUT;
}

static enum run_outcome take_end(struct run *run, const struct frame *frame)
{
    struct frame_end end;
    if (!frame_read_end(frame, &end)) {
        return malformed(run);
    }
    judge_end(run, &end);
    return RUN_ENDED;
}

static enum run_outcome take_frame(struct run *run, const struct frame *frame)
{
    const char *bytes = (const char *)frame->payload;
    if (frame->type == FRAME_STARTED && run->started_at == 0) {
        run->started_at = clock_mono_ms();
        return RUN_GOES_ON;
    }
    if (run->started_at == 0) {
        return malformed(run);
    }
    switch (frame->type) {
    case FRAME_STDOUT:
        feed_add(&run->feed, clock_mono_ms(), OUTPUT_STDOUT, bytes, frame->len);
        return RUN_GOES_ON;
    case FRAME_STDERR:
        feed_add(&run->feed, clock_mono_ms(), OUTPUT_STDERR, bytes, frame->len);
        return RUN_GOES_ON;
    case FRAME_END:
        return take_end(run, frame);
    default:
        return malformed(run);
    }
}

/* A bounded number of frames, so that a flood cannot keep us from looking at the clock. */
static enum run_outcome take_frames(struct run *run)
{
    struct frame frame;
    enum run_outcome outcome = RUN_GOES_ON;
    for (int i = 0; i < FRAMES_A_TURN && outcome == RUN_GOES_ON; i++) {
        switch (container_next(run->container, &frame)) {
        case CONTAINER_QUIET:
            return RUN_GOES_ON;
        case CONTAINER_FRAME:
            outcome = take_frame(run, &frame);
            break;
        case CONTAINER_LOST:
            return run->started_at != 0 ? RUN_LOST : RUN_NOT_STARTED;
        case CONTAINER_BROKEN:
            return malformed(run);
        }
    }
    return outcome;
}

/* --- what goes to Redis ------------------------------------------------------------------- */

static const char *stream_name(enum output_stream stream)
{
    return stream == OUTPUT_STDOUT ? "stdout" : "stderr";
}

/* After a call to Redis that failed: not at once, and not so late that another one which hangs
 * would hold up the deadline. */
static int64_t retry_at(const struct run *run)
{
    int64_t deadline = run->started_at + run->conf->run_ms;
    int64_t soon = clock_mono_ms() + RETRY_MS;
    return soon + CLAIM_CALL_MAX_MS < deadline ? soon : deadline;
}

static enum claim_outcome announce(struct run *run)
{
    enum output_stream stream;
    struct view text;
    while (feed_next(&run->feed, clock_mono_ms(), &stream, &text)) {
        enum claim_outcome outcome =
            claim_output(run->claim, run->job, stream_name(stream), text);
        if (outcome != CLAIM_OK) {
            feed_postpone(&run->feed, retry_at(run));
            return outcome;
        }
        feed_told(&run->feed, clock_mono_ms());
    }
    return CLAIM_OK;
}

enum claim_outcome run_settle(struct run *run)
{
    struct job_result *result = &run->result;
    if (!run->feed.ended || result->finished_at == 0) {
        feed_end(&run->feed);
        result->finished_at = clock_wall_ms();
        result->output = buf_view(&run->feed.all);
        result->out = buf_view(&run->feed.text[OUTPUT_STDOUT]);
        result->err = buf_view(&run->feed.text[OUTPUT_STDERR]);
        result->dropped_bytes += clamp(run->feed.cap.dropped_bytes);
    }
    feed_postpone(&run->feed, 0);
    enum claim_outcome outcome = announce(run);
    return outcome == CLAIM_OK ? claim_end(run->claim, run->job, result) : outcome;
}

/* --- clock and cancel --------------------------------------------------------------------- */

static void look_for_cancel(struct run *run, bool heard)
{
    bool watching = claim_watch_fd(run->claim) >= 0;
    int64_t now = clock_mono_ms();
    if (run->interrupted_at != 0 || (!heard && (watching || now < run->look_at))) {
        return;
    }
    run->look_at = now + LOOK_EVERY_MS;
    if (claim_cancelled(run->claim, run->job)) {
        run->interrupted_at = now;
        container_send(run->container, FRAME_INTERRUPT, view_of(""));
    }
}

static void tell_to_kill(struct run *run, enum job_state state, int64_t now)
{
    run->killed_at = now;
    run->kill_state = state;
    container_send(run->container, FRAME_KILL, view_of(""));
}

static enum run_outcome look_at_clock(struct run *run, int64_t now)
{
    int64_t drain_until = atomic_load(&run->stop->drain_until);
    if (run->started_at == 0) {
        return now >= run->sent_at + START_MS ? RUN_NOT_STARTED : RUN_GOES_ON;
    }
    if (run->killed_at != 0) {
        if (now < run->killed_at + KILL_MS) {
            return RUN_GOES_ON;
        }
        judge_cut(run);
        return RUN_CUT;
    }
    bool cancelled = run->interrupted_at != 0;
    if ((cancelled && now >= run->interrupted_at + INTERRUPT_MS) ||
        now >= run->started_at + run->conf->run_ms) {
        tell_to_kill(run, cancelled ? JOB_CANCELLED : JOB_TIMED_OUT, now);
    }
    return drain_until != 0 && now >= drain_until ? RUN_DRAINED : RUN_GOES_ON;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct run *run)
{
    int64_t now = clock_mono_ms();
    int64_t drain_until = atomic_load(&run->stop->drain_until);
    int64_t at =
        run->started_at != 0 ? run->started_at + run->conf->run_ms : run->sent_at + START_MS;
    at = run->killed_at != 0 ? run->killed_at + KILL_MS : at;
    at = earlier(at, feed_due_at(&run->feed));
    at = earlier(at, now + CLAIM_BEAT_MS);
    if (run->killed_at == 0 && run->interrupted_at != 0) {
        at = earlier(at, run->interrupted_at + INTERRUPT_MS);
    } else if (claim_watch_fd(run->claim) < 0) {
        at = earlier(at, run->look_at);
    }
    if (drain_until != 0) {
        at = earlier(at, drain_until);
    }
    return at > now ? (int)(at - now) : 0;
}

/* --- the run ------------------------------------------------------------------------------ */

static void send_program(struct run *run)
{
    const struct job *job = run->job;
    container_send(run->container, FRAME_SOURCE, view_of(job->code));
    if (job->stdin_text != NULL && job->stdin_text[0] != '\0') {
        container_send(run->container, FRAME_STDIN, view_of(job->stdin_text));
    }
    container_send(run->container, FRAME_STDIN_END, view_of(""));
    run->sent_at = clock_mono_ms();
}

/* Waits for the first of: bytes from the container, room to write to it, a word about the job,
 * the daemon's stop, and what the clock brings. Returns whether there was word about the job.
 */
static bool wait_for_something(struct run *run)
{
    short events = container_wants_write(run->container) ? POLLIN | POLLOUT : POLLIN;
    bool stopping = atomic_load(&run->stop->drain_until) != 0;
    struct pollfd fds[3] = {
        {container_fd(run->container), events, 0},
        {run->interrupted_at == 0 ? claim_watch_fd(run->claim) : -1, POLLIN, 0},
        {stopping ? -1 : run->stop->fd, POLLIN, 0},
    };
    if (poll(fds, 3, wait_ms(run)) <= 0) {
        return false;
    }
    if ((fds[0].revents & POLLOUT) != 0) {
        container_write(run->container);
    }
    return fds[1].revents != 0;
}

/* The clock is read before the frames, so that an end which is there in time counts however
 * long a call to Redis has held us up. */
static enum run_outcome turn(struct run *run)
{
    bool heard = wait_for_something(run);
    int64_t now = clock_mono_ms();
    enum run_outcome outcome = take_frames(run);
    if (outcome == RUN_GOES_ON) {
        outcome = look_at_clock(run, now);
    }
    if (outcome != RUN_GOES_ON) {
        return outcome;
    }
    look_for_cancel(run, heard);
    claim_beat(run->claim);
    return announce(run) == CLAIM_NOTHING ? RUN_DISOWNED : RUN_GOES_ON;
}

enum run_outcome run_execute(struct run *run, struct container *container)
{
    run->container = container;
    send_program(run);
    if (run->interrupted_at != 0) { /* while another container failed to start */
        run->interrupted_at = run->sent_at;
        container_send(container, FRAME_INTERRUPT, view_of(""));
    }
    claim_watch(run->claim, run->job);
    enum run_outcome outcome = RUN_GOES_ON;
    while (outcome == RUN_GOES_ON) {
        outcome = turn(run);
    }
    run->container = NULL;
    claim_unwatch(run->claim);
    return outcome;
}
