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
 *   waited for input       timed_out: too long in all, or ten seconds while others wait to run;
 *                          cancelled when the daemon stops
 *   daemon stops           the job goes back to the queue
 *
 * The time that the program waits for live input does not count towards its deadline.
 *
 * Redis away: output waits in the feed, nothing else changes. */
#include "run/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define START_MS 5000
#define INTERRUPT_MS 300
#define KILL_MS 300
#define LOOK_EVERY_MS 200
#define RETRY_MS 250
#define YIELD_MS 10000 /* how long a program may wait while others wait to run */
#define QUEUE_LOOK_EVERY_MS 1000
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
    result->wall_ms = clamp((end->wall_us - end->waited_us) / 1000);
    result->cpu_ms = clamp(end->cpu_us / 1000);
    result->memory_bytes = clamp(end->memory_bytes);
    result->dropped_bytes = clamp(end->dropped_bytes);
    if (run->killed_at != 0 || run->interrupted_at != 0) {
        set_error(run, run->killed_at != 0 ? run->kill_state : JOB_CANCELLED, run->kill_code,
                  run->kill_text);
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

/* For live input, until `now`. */
static int64_t waited_ms(const struct run *run, int64_t now)
{
    return run->waited_ms + (run->waiting_since != 0 ? now - run->waiting_since : 0);
}

/* The end that we make ourselves: the supervisor did not come to tell its figures. */
static void judge_cut(struct run *run)
{
    set_error(run, run->kill_state, run->kill_code, run->kill_text);
    run->result.wall_ms = run->killed_at - run->started_at - waited_ms(run, run->killed_at);
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

static void begin_wait(struct run *run)
{
    if (run->job->interactive && run->waiting_since == 0 && run->waits < FRAME_WAITS_MAX) {
        run->waits++;
        run->waiting_since = clock_mono_ms();
        run->queue_look_at = run->waiting_since;
        feed_hurry(&run->feed);
    }
}

static void end_wait(struct run *run)
{
    if (run->waiting_since != 0) {
        run->waited_ms += clock_mono_ms() - run->waiting_since;
        run->waiting_since = 0;
    }
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
    case FRAME_WAITING:
        begin_wait(run);
        return RUN_GOES_ON;
    case FRAME_RESUMED: /* known already when it was our input that woke it */
        end_wait(run);
        return RUN_GOES_ON;
    case FRAME_END:
        end_wait(run);
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

/* While the program waits it moves on with `now`. */
static int64_t run_deadline(const struct run *run, int64_t now)
{
    return run->started_at + run->conf->run_ms + waited_ms(run, now);
}

/* After a call to Redis that failed: not at once, and not so late that another one which hangs
 * would hold up the deadline. */
static int64_t retry_at(const struct run *run)
{
    int64_t now = clock_mono_ms();
    int64_t deadline = run_deadline(run, now);
    int64_t soon = now + RETRY_MS;
    return soon + CLAIM_CALL_MAX_MS < deadline ? soon : deadline;
}

static enum claim_outcome announce_output(struct run *run)
{
    enum output_stream stream;
    struct view text;
    while (feed_next(&run->feed, clock_mono_ms(), &stream, &text)) {
        char *data = job_format_output(stream_name(stream), text);
        enum claim_outcome outcome = claim_event(run->claim, run->job, "output", data);
        free(data);
        if (outcome != CLAIM_OK) {
            feed_postpone(&run->feed, retry_at(run));
            return outcome;
        }
        feed_told(&run->feed, clock_mono_ms());
    }
    return CLAIM_OK;
}

/* What was tried once must be stored before anything else: the log knows events by their number. */
static enum claim_outcome announce_owed(struct run *run)
{
    if (run->owed == NULL || clock_mono_ms() < run->owed_at) {
        return CLAIM_OK;
    }
    enum claim_outcome outcome = claim_event(run->claim, run->job, run->owed, "{}");
    if (outcome == CLAIM_OK) {
        run->owed = NULL;
    } else {
        run->owed_at = retry_at(run);
    }
    return outcome;
}

/* Whether the program waits is told behind everything that it printed before. */
static void note_wait(struct run *run)
{
    bool waits = run->waiting_since != 0;
    if (run->owed == NULL && waits != run->told_waiting && feed_is_empty(&run->feed)) {
        run->told_waiting = waits;
        run->owed = waits ? "waiting" : "resumed";
        run->owed_at = 0;
    }
}

static enum claim_outcome announce(struct run *run)
{
    enum claim_outcome outcome = announce_owed(run);
    if (outcome == CLAIM_OK && run->owed == NULL) {
        outcome = announce_output(run);
        note_wait(run);
    }
    return outcome == CLAIM_OK ? announce_owed(run) : outcome;
}

enum claim_outcome run_settle(struct run *run)
{
    struct job_result *result = &run->result;
    if (!run->feed.ended || result->finished_at == 0) {
        feed_end(&run->feed);
        end_wait(run);
        run->told_waiting = false; /* the end says so */
        result->finished_at = clock_wall_ms();
        result->output = buf_view(&run->feed.all);
        result->out = buf_view(&run->feed.text[OUTPUT_STDOUT]);
        result->err = buf_view(&run->feed.text[OUTPUT_STDERR]);
        result->dropped_bytes += clamp(run->feed.cap.dropped_bytes);
    }
    feed_postpone(&run->feed, 0);
    run->owed_at = 0;
    enum claim_outcome outcome = announce(run);
    return outcome == CLAIM_OK ? claim_end(run->claim, run->job, result) : outcome;
}

/* --- clock, cancel and live input --------------------------------------------------------- */

/* The log and everybody who reads it know already that the program does not wait any more. */
static void pass_input_on(struct run *run)
{
    bool is_last;
    char *input = claim_take_input(run->claim, &is_last);
    if (input == NULL) {
        return;
    }
    if (input[0] != '\0') {
        container_send(run->container, FRAME_STDIN, view_of(input));
    }
    if (is_last) {
        container_send(run->container, FRAME_STDIN_END, view_of(""));
    }
    free(input);
    end_wait(run);
    run->told_waiting = false;
}

static void look_for_wishes(struct run *run, bool heard)
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
    pass_input_on(run);
}

/* `code` and `text` say why, beyond the state; or are NULL. */
static void tell_to_kill(struct run *run, int64_t now, enum job_state state, const char *code,
                         const char *text)
{
    run->killed_at = now;
    run->kill_state = state;
    run->kill_code = code;
    run->kill_text = text;
    container_send(run->container, FRAME_KILL, view_of(""));
}

static bool others_wait_to_run(struct run *run, int64_t now)
{
    if (now < run->queue_look_at) {
        return false;
    }
    run->queue_look_at = now + QUEUE_LOOK_EVERY_MS;
    return claim_queue_length(run->claim) > 0;
}

static void look_at_wait(struct run *run, int64_t now)
{
    int64_t waited = waited_ms(run, now);
    if (waited >= run->conf->input_ms) {
        tell_to_kill(run, now, JOB_TIMED_OUT, "input_timeout",
                     "The program waited too long for input.");
    } else if (atomic_load(&run->stop->drain_until) != 0) {
        tell_to_kill(run, now, JOB_CANCELLED, "stopping",
                     "The server restarts, and the program waited for input.");
    } else if (waited >= YIELD_MS && others_wait_to_run(run, now)) {
        tell_to_kill(run, now, JOB_TIMED_OUT, "input_timeout",
                     "The program waited for input while others waited to run.");
    }
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
    if (cancelled && now >= run->interrupted_at + INTERRUPT_MS) {
        tell_to_kill(run, now, JOB_CANCELLED, NULL, NULL);
    } else if (now >= run_deadline(run, now)) {
        tell_to_kill(run, now, JOB_TIMED_OUT, NULL, NULL);
    } else if (run->waiting_since != 0) {
        look_at_wait(run, now);
    }
    return drain_until != 0 && now >= drain_until ? RUN_DRAINED : RUN_GOES_ON;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When to look, while the program waits, whether others wait to run. */
static int64_t wait_look_at(const struct run *run, int64_t now)
{
    int64_t yield_at = now + YIELD_MS - waited_ms(run, now);
    return yield_at > run->queue_look_at ? yield_at : run->queue_look_at;
}

static int wait_ms(const struct run *run)
{
    int64_t now = clock_mono_ms();
    int64_t drain_until = atomic_load(&run->stop->drain_until);
    int64_t at = run->sent_at + START_MS;
    if (run->waiting_since != 0) {
        at = earlier(now + run->conf->input_ms - waited_ms(run, now), wait_look_at(run, now));
    } else if (run->started_at != 0) {
        at = run_deadline(run, now);
    }
    at = run->killed_at != 0 ? run->killed_at + KILL_MS : at;
    at = earlier(at, feed_due_at(&run->feed));
    at = earlier(at, now + CLAIM_BEAT_MS);
    at = run->owed != NULL ? earlier(at, run->owed_at) : at;
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
    if (!job->interactive) {
        container_send(run->container, FRAME_STDIN_END, view_of(""));
    }
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
    look_for_wishes(run, heard);
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
