/* vve-supervisor: PID 1 of a container. It starts one Python interpreter, has it wait, hands it
 * one program, and speaks the protocol of frames.h over the container's stdin and stdout, which
 * it alone holds: the program's own stdin, stdout and stderr are pipes to here, so it cannot
 * forge a frame, and the end cannot overtake output.
 *
 * One thread, one ppoll loop, no heap of its own. A run goes through the phases below, in order. What can
 * go wrong, each with its exit status (of this process, hence of the container):
 *   - the other side speaks nonsense: EXIT_PROTOCOL;
 *   - the interpreter cannot be started or dies before it has a program: EXIT_INTERPRETER;
 *   - the other side goes away before the end: EXIT_ABANDONED.
 * Leaving needs no cleaning up: when PID 1 exits the kernel kills everything in the container.
 * That, and kill(-1), is why the supervisor refuses to run as anything but PID 1.
 *
 * Everything that can wait is bounded: input by IN_CAP (then we stop reading it), output by
 * OUT_CAP (then we stop reading the program, unless what it says is only counted). An interrupt
 * or a kill overtakes stdin that the program has not taken yet; behind more than IN_CAP bytes
 * of it it is not read any more, and the kill from outside must do.
 *
 * While stdin is open the supervisor looks now and then whether the program waits for it
 * (run/probe), and tells when it begins and when it ends. Input that is on its way to the
 * program ends a wait before the program has woken up. */
#include "run/frames.h"
#include "run/launch.h"
#include "run/output.h"
#include "run/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_FAULT = 1, /* wrong arguments, or what every container has or allows is missing */
    EXIT_PROTOCOL = 2,
    EXIT_INTERPRETER = LAUNCH_EXIT_STATUS,
    EXIT_ABANDONED = 4,
};

#define READ_MAX 16384u
#define READ_ROOM (FRAME_HEAD_BYTES + OUTPUT_BOUND(READ_MAX))
/* Of the end of a wait, two unfinished characters and the end: always left free for them. */
#define END_ROOM (2 * (FRAME_HEAD_BYTES + 3) + 2 * FRAME_HEAD_BYTES + FRAME_END_BYTES)
#define OUT_CAP (2 * READ_ROOM + END_ROOM)
#define IN_CAP (2 * (FRAME_HEAD_BYTES + FRAME_MAX_PAYLOAD))
/* Between warm.py and the first line of the program Python takes about a millisecond, in which
 * it would mistake an interrupt for a failure of its own and go on. */
#define INTERRUPT_DELAY_US 20000u
#define LOOK_EVERY_US 10000u /* whether the program waits for input */

enum phase {
    PHASE_WARMING,  /* the interpreter is starting */
    PHASE_WAITING,  /* it is up; no program yet */
    PHASE_RUNNING,  /* it has its program */
    PHASE_DRAINING, /* it and all others are dead; their last output is still in the pipes */
    PHASE_ENDED,    /* the end frame is queued */
};

struct options {
    uint64_t cap_bytes;
    uint64_t flood_bytes;
    const char *python_path; /* folder of warm.py, there named sitecustomize.py */
    const char *workdir;
};

struct supervisor {
    struct options options;
    enum phase phase;
    pid_t program;
    int program_stdin;     /* our ends of the pipes; -1: closed */
    int program_output[2]; /* by enum output_stream */
    int gate;              /* socket to warm.py, until it lets the program go */
    int oom_counter;       /* -1: this machine does not tell */
    bool interrupted;      /* and not passed on yet */
    bool stdin_ended;
    uint64_t waiting_since_us; /* 0: the program is not known to wait for input */
    uint64_t look_at_us;       /* whether it does */
    unsigned waits;

    struct output output;
    struct frame_end end; /* filled as it becomes known */
    uint64_t started_us;
    uint64_t interruptible_us; /* known once the gate is closed */
    uint64_t warm_up_cpu_us;
    uint32_t oom_kills_before;

    /* First stdin that the program has not taken, then frames that are not whole yet. */
    uint8_t in[IN_CAP];
    size_t in_stdin_len;
    size_t in_len;
    uint8_t out[OUT_CAP];
    size_t out_len;
};

_Noreturn static void leave(int status, const char *why)
{
    dprintf(STDERR_FILENO, "vve-supervisor: %s\n", why);
    _exit(status);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void set_nonblocking(int fd)
{
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
        leave(EXIT_FAULT, "cannot make a descriptor non-blocking");
    }
}

static uint64_t now_us(void)
{
    return probe_clock_us(CLOCK_MONOTONIC);
}

static bool is_transient(int error)
{
    return error == EAGAIN || error == EINTR;
}

/* --- frames out -------------------------------------------------------------------------- */

static bool has_room(const struct supervisor *s)
{
    return sizeof s->out - s->out_len >= READ_ROOM + END_ROOM;
}

static bool has_room_for_output(const struct supervisor *s)
{
    return s->output.cut || has_room(s);
}

/* Puts the head before a payload of `len` bytes that already lies behind the place for it. */
static void seal_frame(struct supervisor *s, enum frame_type type, size_t len)
{
    frame_write_head(s->out + s->out_len, type, (uint32_t)len);
    s->out_len += FRAME_HEAD_BYTES + len;
}

static void seal_output(struct supervisor *s, enum output_stream stream, size_t len)
{
    if (len > 0) {
        seal_frame(s, stream == OUTPUT_STDOUT ? FRAME_STDOUT : FRAME_STDERR, len);
    }
}

static char *output_place(struct supervisor *s)
{
    return (char *)s->out + s->out_len + FRAME_HEAD_BYTES;
}

static void send_frames(struct supervisor *s)
{
    while (s->out_len > 0) {
        ssize_t sent = write(STDOUT_FILENO, s->out, s->out_len);
        if (sent < 0) {
            if (is_transient(errno)) {
                return;
            }
            leave(EXIT_ABANDONED, "nobody reads any more");
        }
        s->out_len -= (size_t)sent;
        memmove(s->out, s->out + sent, s->out_len);
    }
}

/* --- the program ------------------------------------------------------------------------- */

static void start_program(struct supervisor *s)
{
    struct launched launched;
    if (!launch_interpreter(s->options.python_path, s->options.workdir, &launched)) {
        leave(EXIT_FAULT, "cannot start a process");
    }
    s->program = launched.pid;
    s->program_stdin = launched.input;
    s->program_output[OUTPUT_STDOUT] = launched.output;
    s->program_output[OUTPUT_STDERR] = launched.errors;
    s->gate = launched.gate;
    set_nonblocking(s->program_stdin);
    set_nonblocking(s->program_output[OUTPUT_STDOUT]);
    set_nonblocking(s->program_output[OUTPUT_STDERR]);
    set_nonblocking(s->gate);
}

static void hand_over(struct supervisor *s, const struct frame *source)
{
    if (!launch_write_script(s->options.workdir, source->payload, source->len)) {
        leave(EXIT_FAULT, "cannot write the script");
    }
    s->oom_kills_before = probe_oom_kills(s->oom_counter);
    s->warm_up_cpu_us = probe_cpu_us(s->program);
    s->started_us = now_us();
    shutdown(s->gate, SHUT_WR);
    s->phase = PHASE_RUNNING;
    seal_frame(s, FRAME_STARTED, 0);
}

/* warm.py says one byte when the interpreter is up, and closes its end when it lets it go. */
static void hear_gate(struct supervisor *s)
{
    char byte;
    ssize_t len = read(s->gate, &byte, sizeof byte);
    if (len > 0 && s->phase == PHASE_WARMING) {
        s->phase = PHASE_WAITING;
        seal_frame(s, FRAME_READY, 0);
    } else if (len == 0 || (len < 0 && !is_transient(errno))) {
        close_fd(&s->gate);
        s->interruptible_us = now_us() + INTERRUPT_DELAY_US;
    }
}

/* Passes an interrupt on as soon as the program can take it, or returns how long that is. */
static uint64_t pass_interrupt_on(struct supervisor *s)
{
    if (!s->interrupted || s->phase != PHASE_RUNNING || s->gate >= 0) {
        return 0;
    }
    uint64_t now = now_us();
    if (now < s->interruptible_us) {
        return s->interruptible_us - now;
    }
    kill(-s->program, SIGINT);
    s->interrupted = false;
    return 0;
}

/* --- waiting for input ------------------------------------------------------------------- */

static void stop_waiting(struct supervisor *s)
{
    if (s->waiting_since_us != 0) {
        s->end.waited_us += now_us() - s->waiting_since_us;
        s->waiting_since_us = 0;
        seal_frame(s, FRAME_RESUMED, 0);
    }
}

/* While stdin is open and everything that was sent to the program has gone into its pipe. */
static bool may_wait(const struct supervisor *s)
{
    return s->phase == PHASE_RUNNING && s->gate < 0 && s->program_stdin >= 0 &&
           !s->stdin_ended && s->in_stdin_len == 0 &&
           (s->waiting_since_us != 0 || s->waits < FRAME_WAITS_MAX);
}

/* The program first: once it waits it prints nothing more, so pipes that are empty then stay so. */
static bool is_waiting(const struct supervisor *s)
{
    return may_wait(s) && probe_waits_for_input(s->program) &&
           probe_unread_bytes(s->program_stdin) == 0 &&
           probe_unread_bytes(s->program_output[OUTPUT_STDOUT]) == 0 &&
           probe_unread_bytes(s->program_output[OUTPUT_STDERR]) == 0 && has_room(s);
}

/* Looks if it is time, and returns how long it is until the next look; 0: none is needed. */
static uint64_t look_whether_it_waits(struct supervisor *s)
{
    if (!may_wait(s)) {
        stop_waiting(s);
        return 0;
    }
    uint64_t now = now_us();
    if (now < s->look_at_us) {
        return s->look_at_us - now;
    }
    s->look_at_us = now + LOOK_EVERY_US;
    if (!is_waiting(s)) {
        stop_waiting(s);
    } else if (s->waiting_since_us == 0) {
        s->waiting_since_us = now;
        s->waits++;
        seal_frame(s, FRAME_WAITING, 0);
    }
    return LOOK_EVERY_US;
}

/* --- frames in, and the program's stdin -------------------------------------------------- */

static void obey(struct supervisor *s, const struct frame *frame)
{
    if ((frame->type == FRAME_SOURCE) != (s->phase == PHASE_WAITING)) {
        leave(EXIT_PROTOCOL, "one source was expected, and first");
    }
    if (frame->type == FRAME_SOURCE) {
        hand_over(s, frame);
    } else if (frame->type == FRAME_INTERRUPT) {
        s->interrupted = true;
    } else if (frame->type == FRAME_KILL) {
        kill(-1, SIGKILL);
    } else if (frame->type == FRAME_STDIN_END) {
        s->stdin_ended = true;
        stop_waiting(s);
    }
}

static enum frame_parse next_frame(const struct supervisor *s, size_t at, struct frame *frame,
                                   size_t *used)
{
    return frame_parse(FRAME_TO_SUPERVISOR, s->in + at, s->in_len - at, frame, used);
}

/* Obeys every whole frame. What is for the program stays in the buffer, behind its like. */
static void obey_frames(struct supervisor *s)
{
    size_t at = s->in_stdin_len;
    struct frame frame;
    size_t used = 0;
    enum frame_parse parse;
    while ((parse = next_frame(s, at, &frame, &used)) == FRAME_OK) {
        obey(s, &frame);
        if (frame.type == FRAME_STDIN && s->program_stdin >= 0 && !s->stdin_ended) {
            memmove(s->in + s->in_stdin_len, frame.payload, frame.len);
            s->in_stdin_len += frame.len;
            stop_waiting(s);
        }
        at += used;
    }
    if (parse == FRAME_MALFORMED) {
        leave(EXIT_PROTOCOL, "malformed frame");
    }
    memmove(s->in + s->in_stdin_len, s->in + at, s->in_len - at);
    s->in_len -= at - s->in_stdin_len;
}

static void forget_stdin(struct supervisor *s, size_t len)
{
    s->in_stdin_len -= len;
    s->in_len -= len;
    memmove(s->in, s->in + len, s->in_len);
}

static void feed_program(struct supervisor *s)
{
    if (s->in_stdin_len > 0) {
        ssize_t fed = write(s->program_stdin, s->in, s->in_stdin_len);
        if (fed < 0 && !is_transient(errno)) { /* the program has closed its stdin */
            forget_stdin(s, s->in_stdin_len);
            close_fd(&s->program_stdin);
        } else if (fed > 0) {
            forget_stdin(s, (size_t)fed);
        }
    }
    if (s->stdin_ended && s->in_stdin_len == 0) {
        close_fd(&s->program_stdin);
    }
}

static void receive(struct supervisor *s)
{
    ssize_t len = read(STDIN_FILENO, s->in + s->in_len, sizeof s->in - s->in_len);
    if (len == 0 || (len < 0 && !is_transient(errno))) {
        leave(EXIT_ABANDONED, "the other side went away");
    }
    if (len > 0) {
        s->in_len += (size_t)len;
        obey_frames(s);
        feed_program(s);
    }
}

/* --- the program's output ---------------------------------------------------------------- */

static void stop_flood(struct supervisor *s)
{
    if (s->output.dropped_bytes > s->options.flood_bytes && s->phase == PHASE_RUNNING &&
        s->end.flooded == 0) {
        s->end.flooded = 1;
        kill(-1, SIGKILL);
    }
}

/* Of a stream that gave `len`. When everybody is dead an empty one has ended too: its other end
 * can lie for ever in a socket that was sent through itself, and no end of file ever comes. */
static bool has_ended(const struct supervisor *s, ssize_t len)
{
    if (len < 0 && errno == EAGAIN) {
        return s->phase == PHASE_DRAINING;
    }
    return len == 0 || (len < 0 && errno != EINTR);
}

static void relay(struct supervisor *s, enum output_stream stream)
{
    char bytes[READ_MAX];
    ssize_t len = read(s->program_output[stream], bytes, sizeof bytes);
    if (has_ended(s, len)) {
        close_fd(&s->program_output[stream]);
    }
    if (len > 0) {
        seal_output(s, stream,
                    output_push(&s->output, stream, bytes, (size_t)len, output_place(s)));
        stop_flood(s);
    }
}

/* --- the end ----------------------------------------------------------------------------- */

static uint64_t timeval_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void account(struct supervisor *s, const struct rusage *usage)
{
    s->end.cpu_us += timeval_us(usage->ru_utime) + timeval_us(usage->ru_stime);
    uint64_t memory_bytes = (uint64_t)usage->ru_maxrss * 1024;
    if (memory_bytes > s->end.memory_bytes) {
        s->end.memory_bytes = memory_bytes;
    }
}

/* Nobody escapes: whoever loses its parent becomes our child, and a process that is being
 * killed cannot fork. So when no child is left nobody is. */
static void kill_the_others(struct supervisor *s)
{
    struct rusage usage;
    kill(-1, SIGKILL);
    while (wait4(-1, NULL, 0, &usage) > 0) {
        account(s, &usage);
    }
}

_Noreturn static void give_up_on_interpreter(const struct supervisor *s)
{
    char said[1024];
    ssize_t len = read(s->program_output[OUTPUT_STDERR], said, sizeof said);
    if (len > 0) {
        dprintf(STDERR_FILENO, "%.*s", (int)len, said);
    }
    leave(EXIT_INTERPRETER, "the interpreter ended before it had a program");
}

static void on_program_exit(struct supervisor *s, int status)
{
    if (s->phase != PHASE_RUNNING) {
        give_up_on_interpreter(s);
    }
    stop_waiting(s);
    s->end.wall_us = now_us() - s->started_us;
    s->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    s->end.exit_code = WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
    kill_the_others(s);
    s->end.cpu_us -= s->end.cpu_us < s->warm_up_cpu_us ? s->end.cpu_us : s->warm_up_cpu_us;
    s->end.oom_kills = probe_oom_kills(s->oom_counter) - s->oom_kills_before;
    s->phase = PHASE_DRAINING;
}

/* Orphans too: a dead child that nobody waits for goes on counting against the pids limit. */
static void reap(struct supervisor *s)
{
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        account(s, &usage);
        if (pid == s->program) {
            on_program_exit(s, status);
        }
    }
}

static bool is_drained(const struct supervisor *s)
{
    return s->program_output[OUTPUT_STDOUT] < 0 && s->program_output[OUTPUT_STDERR] < 0;
}

/* Stops early only for want of room: then there are frames to send, and when they can be sent
 * ppoll wakes us to go on. */
static void drain(struct supervisor *s)
{
    while (!is_drained(s) && has_room_for_output(s)) {
        for (int stream = OUTPUT_STDOUT; stream <= OUTPUT_STDERR; stream++) {
            if (s->program_output[stream] >= 0 && has_room_for_output(s)) {
                relay(s, (enum output_stream)stream);
            }
        }
    }
}

static void end_when_drained(struct supervisor *s)
{
    if (s->phase != PHASE_DRAINING) {
        return;
    }
    drain(s);
    if (!is_drained(s)) {
        return;
    }
    for (int stream = OUTPUT_STDOUT; stream <= OUTPUT_STDERR; stream++) {
        seal_output(s, (enum output_stream)stream,
                    output_end(&s->output, (enum output_stream)stream, output_place(s)));
    }
    s->end.dropped_bytes = s->output.dropped_bytes;
    frame_write_end(s->out + s->out_len + FRAME_HEAD_BYTES, &s->end);
    seal_frame(s, FRAME_END, FRAME_END_BYTES);
    s->phase = PHASE_ENDED;
}

/* --- the loop ---------------------------------------------------------------------------- */

enum { ON_INPUT, ON_SENDABLE, ON_FEEDABLE, ON_GATE, ON_STDOUT, ON_STDERR, ON_COUNT };

/* -1 where nothing is wanted, because a closed other end would wake us without end. Our stdin
 * is watched for that even while it is not read. */
static void choose_events(const struct supervisor *s, struct pollfd fds[ON_COUNT])
{
    bool obeying = s->phase == PHASE_WAITING || s->phase == PHASE_RUNNING;
    bool reading = obeying && s->in_len < sizeof s->in;
    bool relaying = s->phase == PHASE_RUNNING && has_room_for_output(s);
    int out = relaying ? s->program_output[OUTPUT_STDOUT] : -1;
    int err = relaying ? s->program_output[OUTPUT_STDERR] : -1;
    fds[ON_INPUT] = (struct pollfd){STDIN_FILENO, reading ? POLLIN : 0, 0};
    fds[ON_SENDABLE] = (struct pollfd){s->out_len > 0 ? STDOUT_FILENO : -1, POLLOUT, 0};
    fds[ON_FEEDABLE] = (struct pollfd){s->in_stdin_len > 0 ? s->program_stdin : -1, POLLOUT, 0};
    fds[ON_GATE] = (struct pollfd){s->gate, POLLIN, 0};
    fds[ON_STDOUT] = (struct pollfd){out, POLLIN, 0};
    fds[ON_STDERR] = (struct pollfd){err, POLLIN, 0};
}

static void handle_input(struct supervisor *s, const struct pollfd *input)
{
    if (input->revents == 0) {
        return;
    }
    if (input->events == 0) {
        leave(EXIT_ABANDONED, "the other side went away");
    }
    receive(s);
}

static void handle_events(struct supervisor *s, const struct pollfd fds[ON_COUNT])
{
    if (fds[ON_GATE].revents != 0) {
        hear_gate(s);
    }
    handle_input(s, &fds[ON_INPUT]);
    if (fds[ON_FEEDABLE].revents != 0) {
        feed_program(s);
    }
    if (fds[ON_STDOUT].revents != 0) {
        relay(s, OUTPUT_STDOUT);
    }
    if (fds[ON_STDERR].revents != 0 && has_room_for_output(s)) {
        relay(s, OUTPUT_STDERR);
    }
}

/* Of two times that are left; 0: for as long as it takes. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void serve(struct supervisor *s, const sigset_t *while_waiting)
{
    while (s->phase != PHASE_ENDED || s->out_len > 0) {
        uint64_t wait_us = sooner(pass_interrupt_on(s), look_whether_it_waits(s));
        struct timespec timeout = {0, (long)wait_us * 1000};
        struct pollfd fds[ON_COUNT];
        choose_events(s, fds);
        int ready = ppoll(fds, ON_COUNT, wait_us > 0 ? &timeout : NULL, while_waiting);
        if (ready < 0 && errno != EINTR) {
            leave(EXIT_FAULT, "cannot wait"); /* rather than turn for ever and obey nobody */
        }
        if (ready > 0) {
            handle_events(s, fds);
        }
        reap(s); /* every turn: a ready descriptor can keep SIGCHLD from interrupting ppoll */
        send_frames(s);
        end_when_drained(s); /* last: see drain */
    }
}

/* --- start ------------------------------------------------------------------------------- */

static void on_child(int signal_number)
{
    (void)signal_number; /* only to interrupt ppoll */
}

/* SIGCHLD is held back except while we wait, so that none is missed in between. */
static void prepare_signals(sigset_t *while_waiting)
{
    sigset_t held;
    sigemptyset(while_waiting);
    sigemptyset(&held);
    sigaddset(&held, SIGCHLD);
    struct sigaction action = {.sa_handler = on_child};
    if (sigprocmask(SIG_BLOCK, &held, NULL) != 0 || sigaction(SIGCHLD, &action, NULL) != 0 ||
        signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        leave(EXIT_FAULT, "cannot prepare signals");
    }
}

static uint64_t parse_bytes(const char *text)
{
    char *rest;
    errno = 0;
    unsigned long long value = strtoull(text, &rest, 10);
    if (errno != 0 || rest == text || *rest != '\0' || *text == '-') {
        leave(EXIT_FAULT, "a number of bytes was expected");
    }
    return value;
}

static void parse_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){10240, 1048576, "/usr/local/lib/vve", "/tmp"};
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--cap") == 0) {
            options->cap_bytes = parse_bytes(value);
        } else if (strcmp(argv[i], "--flood") == 0) {
            options->flood_bytes = parse_bytes(value);
        } else if (strcmp(argv[i], "--python-path") == 0) {
            options->python_path = value;
        } else if (strcmp(argv[i], "--workdir") == 0) {
            options->workdir = value;
        } else {
            leave(EXIT_FAULT, "options: --cap N --flood N --python-path DIR --workdir DIR");
        }
    }
}

int main(int argc, char **argv)
{
    static struct supervisor supervisor;
    if (getpid() != 1) {
        leave(EXIT_FAULT, "must be the first process of a container");
    }
    if (prctl(PR_SET_DUMPABLE, 0) != 0) { /* the program has our uid */
        leave(EXIT_FAULT, "cannot hide from the program");
    }
    sigset_t while_waiting;
    prepare_signals(&while_waiting);
    parse_options(argc, argv, &supervisor.options);
    output_init(&supervisor.output, supervisor.options.cap_bytes);
    set_nonblocking(STDIN_FILENO);
    set_nonblocking(STDOUT_FILENO);
    supervisor.oom_counter = probe_open_oom_counter();
    start_program(&supervisor);
    serve(&supervisor, &while_waiting);
    return 0;
}
