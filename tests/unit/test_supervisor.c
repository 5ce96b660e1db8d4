/* The real supervisor with the machine's python3, as the first process of a PID namespace of
 * its own (its kill(-1) stays in there), spoken to over pipes as the slot does. What a
 * container adds (limits, another uid, seccomp) is not here.
 *
 * Nothing sleeps: each step waits for a frame or an end of file, for DEADLINE_MS at most. */
#include "base/utf8.h"
#include "run/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define DEADLINE_MS 20000
#define CAPTURE_MAX (4u << 20)

static char supervisor_path[PATH_MAX];
static char python_path[] = "/tmp/vve-warm-XXXXXX"; /* holds warm.py as sitecustomize.py */
static char workdir[] = "/tmp/vve-work-XXXXXX";
static char script_path[PATH_MAX];

struct text {
    char bytes[CAPTURE_MAX + 1];
    size_t len;
};

/* One supervisor at a time. */
static struct run {
    pid_t pid;
    int to, from, from_stderr;
    uint8_t in[2 * (FRAME_HEAD_BYTES + FRAME_MAX_PAYLOAD)];
    size_t in_len;
    bool at_eof;
    bool ready, started, waiting, ended;
    unsigned waits;
    struct frame_end end;
    struct text out, err;
} run;

/* --- processes --------------------------------------------------------------------------- */

/* Starts argv[0] with its three standard descriptors on pipes; ours are put into fds. */
static pid_t spawn(char *const argv[], char *const environment[], int fds[3])
{
    int in[2], out[2], err[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        close_range(STDERR_FILENO + 1, UINT_MAX, 0); /* what the test runner has left open */
        signal(SIGPIPE, SIG_DFL);
        execvpe(argv[0], argv, environment);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    fds[0] = in[1];
    fds[1] = out[0];
    fds[2] = err[0];
    return pid;
}

static void wait_readable(int fd, const char *what)
{
    struct pollfd pollfd = {fd, POLLIN, 0};
    if (poll(&pollfd, 1, DEADLINE_MS) != 1) {
        fail_msg("no %s within the deadline", what);
    }
}

static void read_to_end(int fd, struct text *text)
{
    ssize_t len = 1;
    for (text->len = 0; len > 0; text->len += (size_t)len) {
        wait_readable(fd, "end of file");
        len = read(fd, text->bytes + text->len, CAPTURE_MAX - text->len);
        assert_true(len >= 0);
    }
    text->bytes[text->len] = '\0';
}

static int exit_status(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- the slot's side --------------------------------------------------------------------- */

static void clear(struct text *text)
{
    text->len = 0;
    text->bytes[0] = '\0';
}

static void start_with(const char *cap, const char *flood, const char *python, const char *work)
{
    memset(&run, 0, offsetof(struct run, out));
    clear(&run.out);
    clear(&run.err);
    char *argv[] = {
        "unshare",      "--user",       "--map-root-user", "--pid",
        "--kill-child", "--mount-proc", supervisor_path,   "--cap",
        (char *)cap,    "--flood",      (char *)flood,     "--python-path",
        (char *)python, "--workdir",    (char *)work,      NULL,
    };
    char **first = argv;
    if (geteuid() == 0) { /* needs no user namespace */
        argv[2] = argv[0];
        first = &argv[2];
    }
    int fds[3];
    run.pid = spawn(first, environ, fds);
    run.to = fds[0];
    run.from = fds[1];
    run.from_stderr = fds[2];
}

static void send_raw(const void *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = write(run.to, bytes, len);
        assert_true(sent > 0);
        bytes = (const char *)bytes + sent;
        len -= (size_t)sent;
    }
}

static void send_frame(enum frame_type type, const void *payload, size_t len)
{
    uint8_t head[FRAME_HEAD_BYTES];
    frame_write_head(head, type, (uint32_t)len);
    send_raw(head, sizeof head);
    send_raw(payload, len);
}

static void send_text(enum frame_type type, const char *text)
{
    send_frame(type, text, strlen(text));
}

static void append(struct text *text, const struct frame *frame)
{
    assert_true(text->len + frame->len <= CAPTURE_MAX);
    assert_true(utf8_valid((const char *)frame->payload, frame->len));
    memcpy(text->bytes + text->len, frame->payload, frame->len);
    text->len += frame->len;
    text->bytes[text->len] = '\0';
}

/* Also holds that frames come in an order that makes sense. */
static void take_frame(const struct frame *frame)
{
    assert_false(run.ended);
    assert_int_equal(run.ready, frame->type != FRAME_READY);
    assert_int_equal(run.started, frame->type != FRAME_READY && frame->type != FRAME_STARTED);
    switch (frame->type) {
    case FRAME_READY:
        run.ready = true;
        break;
    case FRAME_STARTED:
        run.started = true;
        break;
    case FRAME_WAITING:
        assert_false(run.waiting);
        run.waiting = true;
        run.waits++;
        break;
    case FRAME_RESUMED:
        assert_true(run.waiting);
        run.waiting = false;
        break;
    case FRAME_STDOUT:
        append(&run.out, frame);
        break;
    case FRAME_STDERR:
        append(&run.err, frame);
        break;
    case FRAME_END:
        assert_false(run.waiting);
        run.ended = true;
        assert_true(frame_read_end(frame, &run.end));
        break;
    default:
        fail();
    }
}

/* Takes the next frame, reading for it if need be. False: end of file. */
static bool next_frame(void)
{
    struct frame frame;
    size_t used = 0;
    enum frame_parse parse;
    while ((parse = frame_parse(FRAME_FROM_SUPERVISOR, run.in, run.in_len, &frame, &used)) ==
           FRAME_NEED_MORE) {
        wait_readable(run.from, "frame");
        ssize_t len = read(run.from, run.in + run.in_len, sizeof run.in - run.in_len);
        assert_true(len >= 0);
        if (len == 0) {
            assert_int_equal(run.in_len, 0);
            run.at_eof = true;
            return false;
        }
        run.in_len += (size_t)len;
    }
    assert_int_equal(parse, FRAME_OK);
    take_frame(&frame);
    run.in_len -= used;
    memmove(run.in, run.in + used, run.in_len);
    return true;
}

static void await_ready(void)
{
    while (!run.ready) {
        assert_true(next_frame());
    }
}

static void await_output(const char *text)
{
    while (strstr(run.out.bytes, text) == NULL) {
        assert_true(next_frame());
    }
}

static void await_wait(bool waiting)
{
    while (run.waiting != waiting) {
        assert_true(next_frame());
    }
}

static void start(void)
{
    start_with("10240", "1048576", python_path, workdir);
    await_ready();
}

/* To the very end; returns the supervisor's exit status. `said` (or NULL) takes its stderr. */
static int finish(struct text *said)
{
    while (!run.at_eof && next_frame()) {
    }
    static struct text quiet;
    read_to_end(run.from_stderr, said != NULL ? said : &quiet);
    if (run.to >= 0) {
        close(run.to);
    }
    close(run.from);
    close(run.from_stderr);
    return exit_status(run.pid);
}

static void finish_run(void)
{
    static struct text said;
    assert_int_equal(finish(&said), 0);
    assert_string_equal(said.bytes, "");
    assert_true(run.ended);
}

static void execute(const char *source, const char *input)
{
    start();
    send_text(FRAME_SOURCE, source);
    if (input != NULL) {
        send_text(FRAME_STDIN, input);
    }
    send_frame(FRAME_STDIN_END, "", 0);
    finish_run();
}

static void assert_exit(int code)
{
    assert_int_equal(run.end.exit_code, code);
    assert_int_equal(run.end.signal, 0);
}

static void assert_signal(int signal_number)
{
    assert_int_equal(run.end.exit_code, -1);
    assert_int_equal(run.end.signal, signal_number);
}

/* Programs hold this open for writing: its end of file shows that all of them are dead. */
static int open_life_line(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/life", workdir);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

#define HOLD_LIFE_LINE "life = open('life', 'w')\n"

static void assert_all_dead(int life_line)
{
    char byte;
    assert_int_equal(read(life_line, &byte, 1), 0); /* not EAGAIN: nobody has it open */
    close(life_line);
}

/* --- tests ------------------------------------------------------------------------------- */

static void test_hello(void **state)
{
    (void)state;
    execute("print('hello')\n", NULL);
    assert_string_equal(run.out.bytes, "hello\n");
    assert_string_equal(run.err.bytes, "");
    assert_exit(0);
    assert_true(run.end.wall_us > 0 && run.end.wall_us < DEADLINE_MS * UINT64_C(1000));
    assert_true(run.end.memory_bytes > 1u << 20 && run.end.memory_bytes < 1u << 30);
    assert_int_equal(run.end.dropped_bytes, 0);
    assert_int_equal(run.end.flooded, 0);
}

static void test_empty_source(void **state)
{
    (void)state;
    execute("", NULL);
    assert_string_equal(run.out.bytes, "");
    assert_exit(0);
}

static void test_largest_source(void **state)
{
    (void)state;
    static char source[FRAME_MAX_PAYLOAD + 1];
    memset(source, '#', FRAME_MAX_PAYLOAD);
    static const char last[] = "\nprint('end')";
    snprintf(source + FRAME_MAX_PAYLOAD - strlen(last), sizeof last, "%s", last);
    execute(source, NULL);
    assert_string_equal(run.out.bytes, "end\n");
}

static void test_exit_codes(void **state)
{
    (void)state;
    execute("import sys; sys.exit(3)", NULL);
    assert_exit(3);
    execute("import sys; sys.exit(137)", NULL);
    assert_exit(137);
    execute("import os; os._exit(255)", NULL);
    assert_exit(255);
}

static void test_signals(void **state)
{
    (void)state;
    execute("import ctypes; ctypes.string_at(0)", NULL);
    assert_signal(SIGSEGV);
    execute("import os; os.abort()", NULL);
    assert_signal(SIGABRT);
    execute("import os; os.kill(os.getpid(), 9)", NULL);
    assert_signal(SIGKILL);
    execute("import os, signal\nsignal.signal(13, signal.SIG_DFL)\nos.kill(os.getpid(), 13)",
            NULL);
    assert_signal(SIGPIPE);
}

static void test_stdin_and_its_end(void **state)
{
    (void)state;
    execute("import sys\nprint(repr(input()))\nprint(repr(sys.stdin.read()))",
            "caf\xc3\xa9\ntwo\nthree");
    assert_string_equal(run.out.bytes, "'caf\xc3\xa9'\n'two\\nthree'\n");
    execute("input()", NULL);
    assert_non_null(strstr(run.err.bytes, "EOFError: EOF when reading a line\n"));
    assert_exit(1);
}

static void test_dialogue(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "name = input('name? ')\nprint('hi', name)\nprint(input('age? '))");
    await_output("name? ");
    send_text(FRAME_STDIN, "Ada\n");
    await_output("hi Ada\nage? ");
    send_text(FRAME_STDIN, "36\n");
    finish_run();
    assert_string_equal(run.out.bytes, "name? hi Ada\nage? 36\n");
}

static void test_waiting_is_told_behind_the_prompt(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "name = input('name? ')\nprint('hi', name)\nprint(input('age? '))");
    await_wait(true);
    assert_string_equal(run.out.bytes, "name? ");
    send_text(FRAME_STDIN, "Ada\n");
    await_wait(false);
    await_wait(true);
    assert_string_equal(run.out.bytes, "name? hi Ada\nage? ");
    send_text(FRAME_STDIN, "36\n");
    finish_run();
    assert_string_equal(run.out.bytes, "name? hi Ada\nage? 36\n");
    assert_int_equal(run.waits, 2);
    assert_true(run.end.waited_us > 0 && run.end.waited_us < run.end.wall_us);
}

static void test_lines_ahead_are_no_wait(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "for _ in range(3): input()\nprint('three', flush=True)\ninput()");
    send_text(FRAME_STDIN, "1\n2\n3\n");
    await_wait(true);
    assert_string_equal(run.out.bytes, "three\n");
    assert_int_equal(run.waits, 1);
    send_frame(FRAME_STDIN_END, "", 0);
    finish_run();
    assert_non_null(strstr(run.err.bytes, "EOFError"));
}

/* Neither who sleeps, nor who reads elsewhere, nor who has another thread or process at work. */
static void test_what_is_no_wait(void **state)
{
    (void)state;
    static const char *const programs[] = {
        "import time; time.sleep(0.2)",
        "import os\nr, w = os.pipe()\nimport threading\n"
        "threading.Timer(0.2, os.write, (w, b'x')).start()\nos.read(r, 1)",
        "import os, threading, time\nthreading.Thread(target=input, daemon=True).start()\n"
        "end = time.monotonic() + 0.2\nwhile time.monotonic() < end: pass\nos._exit(0)",
        "import os, time\npid = os.fork()\nif pid == 0:\n"
        "    end = time.monotonic() + 0.3\n    while time.monotonic() < end: pass\n"
        "    os.kill(os.getppid(), 9)\n    os._exit(0)\ninput()",
    };
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        start();
        send_text(FRAME_SOURCE, programs[i]);
        finish_run();
        assert_int_equal(run.waits, 0);
        assert_int_equal(run.end.waited_us, 0);
    }
}

static void test_a_wait_may_end_without_input(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "import signal\n"
                            "def on_alarm(*_): raise TimeoutError\n"
                            "signal.signal(signal.SIGALRM, on_alarm)\n"
                            "signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
                            "try: input()\n"
                            "except TimeoutError: print('late', flush=True)\n"
                            "end = __import__('time').sleep(0.1)\n");
    await_wait(true);
    await_wait(false);
    finish_run();
    assert_string_equal(run.out.bytes, "late\n");
    assert_exit(0);
}

static void test_waits_are_told_so_often_and_no_oftener(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "for i in range(66): print(input(), flush=True)");
    for (unsigned i = 0; i < FRAME_WAITS_MAX; i++) {
        await_wait(true);
        send_text(FRAME_STDIN, "x\n");
        await_wait(false);
    }
    send_text(FRAME_STDIN, "x\nx\n");
    finish_run();
    assert_int_equal(run.out.len, 2 * 66);
    assert_int_equal(run.waits, FRAME_WAITS_MAX);
}

static void test_large_stdin(void **state)
{
    (void)state;
    static char chunk[FRAME_MAX_PAYLOAD];
    memset(chunk, 'x', sizeof chunk);
    start();
    send_text(FRAME_SOURCE, "import sys\nprint(len(sys.stdin.buffer.read()))");
    for (int i = 0; i < 32; i++) {
        send_frame(FRAME_STDIN, chunk, sizeof chunk);
    }
    send_frame(FRAME_STDIN_END, "", 0);
    finish_run();
    assert_string_equal(run.out.bytes, "2097152\n");
}

static void test_stdin_nobody_reads(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "import os, signal\nos.close(0)\nprint('closed')\nsignal.pause()");
    await_output("closed");
    static char chunk[FRAME_MAX_PAYLOAD];
    for (int i = 0; i < 32; i++) { /* must not fill anything up */
        send_frame(FRAME_STDIN, chunk, sizeof chunk);
    }
    send_frame(FRAME_INTERRUPT, "", 0);
    finish_run();
    assert_signal(SIGINT);
}

static void test_traceback_is_exact(void **state)
{
    (void)state;
    execute("def half(x):\n    return x / 0\n\nhalf(3)\n", NULL);
    char expected[3 * PATH_MAX];
    snprintf(expected, sizeof expected,
             "Traceback (most recent call last):\n"
             "  File \"%s\", line 4, in <module>\n    half(3)\n"
             "  File \"%s\", line 2, in half\n    return x / 0\n",
             script_path, script_path);
    assert_memory_equal(run.err.bytes, expected, strlen(expected));
    assert_non_null(strstr(run.err.bytes, "\nZeroDivisionError: division by zero\n"));
    assert_exit(1);
}

/* What plain `python3 main.py` does in the same folder and environment. */
static int run_natively(struct text *out, struct text *err)
{
    char *argv[] = {"/usr/bin/env", "python3", script_path, NULL};
    char *environment[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1",
        "PYTHONDONTWRITEBYTECODE=1",         NULL};
    int fds[3];
    char back[PATH_MAX];
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(workdir), 0);
    pid_t pid = spawn(argv, environment, fds);
    assert_int_equal(chdir(back), 0);
    close(fds[0]);
    read_to_end(fds[1], out);
    read_to_end(fds[2], err);
    close(fds[1]);
    close(fds[2]);
    return exit_status(pid);
}

static void test_same_as_plain_python(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "import sys, os\n"
        "print(sys.argv, sys.orig_argv, sys.path, sys.flags, __name__, __file__, os.getcwd())\n"
        /* Debian has a sitecustomize of its own, which ours stands before. */
        "print(sorted(set(sys.modules) - {'sitecustomize', 'apport_python_hook'}))\n"
        "print(sorted(globals()), sorted(os.environ.items()), os.listdir('/proc/self/fd'))\n"
        "print(sorted(sys.path_importer_cache))\n"
        "print([str(finder).split(' at ')[0] for finder in sys.meta_path])\n"
        "print(sys.stdin, sys.stdout, sys.stderr, sys.excepthook, sys.dont_write_bytecode)\n"
        "import signal, threading, atexit\n"
        "print([signal.getsignal(n) for n in range(1, 32)])\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, []), threading.enumerate()[0].name)\n"
        "print(atexit._ncallbacks(), sys.gettrace(), sys.getrecursionlimit())\n",
        "x = = 1\n",
        "print('\xc3\xa9\xe2\x80\xa6')\n\xff\n",
        "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
        "def f(n):\n    f(n + 1)\nf(0)\n",
        "import sys\nsys.exit('a message')\n",
        "import warnings\nwarnings.warn('careful')\n",
        "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='t')\nt.start()\n"
        "t.join()\nprint('done')\n",
        "import atexit, sys\natexit.register(print, 'bye', file=sys.stderr)\nprint('x')\n",
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    raise OSError(2)\n"
        "asyncio.run(f())\n",
        "import traceback, inspect\nprint(len(inspect.stack()))\ntraceback.print_stack()\n",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import sys; "
        "print(len(sys.path), [m for m in sys.modules if m == \"vve\"])'])\n",
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n",
    };
    static struct text out, err;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        execute(sources[i], NULL);
        int status = run_natively(&out, &err);
        assert_string_equal(run.out.bytes, out.bytes);
        assert_string_equal(run.err.bytes, err.bytes);
        assert_int_equal(run.end.signal > 0 ? -run.end.signal : run.end.exit_code, status);
    }
}

static void test_interrupt(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "print('go')\nwhile True:\n    pass\n");
    await_output("go");
    send_frame(FRAME_INTERRUPT, "", 0);
    finish_run();
    assert_non_null(strstr(run.err.bytes, "\nKeyboardInterrupt\n"));
    assert_null(strstr(run.err.bytes, "sitecustomize"));
    assert_signal(SIGINT);
}

static void test_interrupt_at_once(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE,
              "try:\n    input()\nexcept KeyboardInterrupt:\n    print('caught')\n");
    send_frame(FRAME_INTERRUPT, "", 0);
    finish_run();
    assert_string_equal(run.out.bytes, "caught\n");
    assert_string_equal(run.err.bytes, "");
    assert_exit(0);
}

static void test_interrupt_passes_waiting_stdin(void **state)
{
    (void)state;
    static char chunk[FRAME_MAX_PAYLOAD];
    start();
    send_text(FRAME_SOURCE, "import time\nprint('go')\ntime.sleep(1000)\n");
    await_output("go");
    send_frame(FRAME_STDIN, chunk, sizeof chunk); /* fills the pipe */
    send_frame(FRAME_STDIN, chunk, sizeof chunk); /* stays in the supervisor */
    send_frame(FRAME_INTERRUPT, "", 0);
    finish_run();
    assert_signal(SIGINT);
}

static void test_kill_tells_the_figures(void **state)
{
    (void)state;
    start();
    send_text(FRAME_SOURCE, "import signal\nsignal.signal(2, signal.SIG_IGN)\n"
                            "x = bytearray(50 << 20)\nprint('go')\nwhile True:\n    pass\n");
    await_output("go");
    send_frame(FRAME_INTERRUPT, "", 0);
    send_frame(FRAME_KILL, "", 0);
    finish_run();
    assert_signal(SIGKILL);
    assert_true(run.end.memory_bytes > 50 << 20);
    assert_true(run.end.wall_us > 0);
}

static void test_cap(void **state)
{
    (void)state;
    execute("print('x' * 10239)", NULL);
    assert_int_equal(run.out.len, 10240);
    assert_int_equal(run.end.dropped_bytes, 0);
    execute("print('x' * 10239 + '\xc3\xa9', end='')", NULL);
    assert_int_equal(run.out.len, 10239);
    assert_int_equal(run.end.dropped_bytes, 2);
    execute("import sys\nprint('x' * 10000, end='')\nsys.stderr.write('y' * 1000)", NULL);
    assert_int_equal(run.out.len + run.err.len, 10240);
    assert_int_equal(run.end.dropped_bytes, 760);
    execute("import sys\nsys.stdout.buffer.write(b'\\xff\\xe2\\x80')", NULL);
    assert_string_equal(run.out.bytes, "\xef\xbf\xbd\xef\xbf\xbd");
    assert_exit(0);
}

static void test_flood_is_stopped(void **state)
{
    (void)state;
    execute("while True:\n    print('x' * 1000)", NULL);
    assert_int_equal(run.out.len, 10240);
    assert_int_equal(run.end.flooded, 1);
    assert_true(run.end.dropped_bytes > 1048576);
    assert_signal(SIGKILL);
}

static void test_flood_limit_is_exact(void **state)
{
    (void)state;
    execute("import sys\nsys.stdout.write('x' * (10240 + 1048576))", NULL);
    assert_int_equal(run.end.dropped_bytes, 1048576);
    assert_int_equal(run.end.flooded, 0);
    assert_exit(0);
}

static void test_flood_from_an_orphan(void **state)
{
    (void)state;
    int life_line = open_life_line();
    execute(HOLD_LIFE_LINE "import os\nif os.fork() == 0:\n    os.setsid()\n"
                           "    while True:\n        os.write(2, b'y' * 4096)\n"
                           "print('bye')\n",
            NULL);
    assert_all_dead(life_line);
}

/* Writes to stdout until nothing moves any more, and tells on the life line how far it came. */
#define FILL_STDOUT                                                                            \
    HOLD_LIFE_LINE                                                                             \
    "import os, select\nsent = 0\nos.set_blocking(1, False)\n"                                 \
    "while sent < 3000000 and select.select([], [1], [], 0.5)[1]:\n"                           \
    "    sent += os.write(1, b'%09d' % (sent // 9))\n"                                         \
    "life.write(f'{sent}\\n')\nlife.flush()\n"

/* Returns how far it came: two pipes and the supervisor's buffer. */
static size_t take_report(int life_line)
{
    char report[32] = {0};
    wait_readable(life_line, "report");
    assert_true(read(life_line, report, sizeof report - 1) > 0);
    size_t sent = strtoul(report, NULL, 10);
    assert_true(sent > 65536 && sent < 524288);
    return sent;
}

static void assert_stdout_is_whole(size_t len)
{
    assert_int_equal(run.out.len, len);
    for (size_t i = 0; i < len / 9; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "%09zu", i);
        assert_memory_equal(run.out.bytes + 9 * i, expected, 9);
    }
}

static void test_output_waits_for_a_reader(void **state)
{
    (void)state;
    int life_line = open_life_line();
    start_with("4000000", "0", python_path, workdir);
    await_ready();
    send_text(FRAME_SOURCE,
              FILL_STDOUT "os.set_blocking(1, True)\n"
                          "for i in range(sent // 9, 60000):\n    os.write(1, b'%09d' % i)\n");
    take_report(life_line);
    finish_run();
    assert_all_dead(life_line);
    assert_stdout_is_whole(540000);
}

static void test_order_within_each_stream(void **state)
{
    (void)state;
    execute("import sys\nfor i in range(200):\n    print(i)\n    print(-i, file=sys.stderr)\n",
            NULL);
    const char *out = run.out.bytes;
    const char *err = run.err.bytes;
    for (long i = 0; i < 200; i++) {
        assert_int_equal(strtol(out, (char **)&out, 10), i);
        assert_int_equal(strtol(err, (char **)&err, 10), -i);
    }
}

static void test_closed_stdout_is_no_end(void **state)
{
    (void)state;
    execute("import os, sys\nos.close(1)\nsys.stderr.write('still here')\nos._exit(4)", NULL);
    assert_string_equal(run.err.bytes, "still here");
    assert_exit(4);
}

static void test_daemon_with_our_stdout_dies_before_the_end(void **state)
{
    (void)state;
    int life_line = open_life_line();
    execute(HOLD_LIFE_LINE
            "import os, signal\nr, w = os.pipe()\n"
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            "        for n in set(range(1, 32)) - {9, 19}:\n"
            "            signal.signal(n, signal.SIG_IGN)\n"
            "        os.write(w, b'x')\n        signal.pause()\n    os._exit(0)\n"
            "os.read(r, 1)\nprint('bye')\n",
            NULL);
    assert_string_equal(run.out.bytes, "bye\n");
    assert_exit(0);
    assert_all_dead(life_line);
}

/* Descriptors that a program sends to it lie in it, though the program is dead. */
static int open_holder(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/holder", workdir);
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* The pipes have no end of file, as their other ends are still somewhere. And there is more in
 * them than the supervisor has room for, as nobody reads until everybody is dead. */
static void test_output_ends_without_end_of_file(void **state)
{
    (void)state;
    int holder = open_holder();
    int life_line = open_life_line();
    start_with("4000000", "0", python_path, workdir);
    await_ready();
    send_text(FRAME_SOURCE, FILL_STDOUT
              "import socket\nsender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              "sender.connect('holder')\n"
              "socket.send_fds(sender, [b'x'], [1, 2])\nos._exit(3)\n");
    size_t sent = take_report(life_line);
    wait_readable(life_line, "end of the program");
    assert_all_dead(life_line);
    finish_run();
    assert_stdout_is_whole(sent);
    assert_exit(3);
    close(holder);
}

static void test_fork_chain_dies(void **state)
{
    (void)state;
    int life_line = open_life_line();
    /* Each link forks the next for ever; the first ends once the chain has grown. */
    execute(HOLD_LIFE_LINE "import os\nr, w = os.pipe()\nfirst = os.getpid()\n"
                           "if os.fork() == 0:\n    while True:\n        os.write(w, b'x')\n"
                           "        if os.fork() != 0:\n            os._exit(0)\n"
                           "for i in range(50):\n    os.read(r, 1)\n",
            NULL);
    assert_exit(0);
    assert_all_dead(life_line);
}

static void test_orphans_are_reaped(void **state)
{
    (void)state;
    /* 40 orphans, one after the other; none may be left as a zombie of process 1. */
    execute("import os\n"
            "for i in range(40):\n    r, w = os.pipe()\n    pid = os.fork()\n"
            "    if pid == 0:\n        if os.fork() == 0:\n            os.close(r)\n"
            "            os._exit(0)\n        os._exit(0)\n"
            "    os.close(w)\n    os.waitpid(pid, 0)\n    os.read(r, 1)\n    os.close(r)\n"
            "print('done')\n",
            NULL);
    assert_string_equal(run.out.bytes, "done\n");
    assert_exit(0);
}

static void test_cpu_time_counts_children(void **state)
{
    (void)state;
    execute("import os, time\nif os.fork() == 0:\n    while time.process_time() < 0.3:\n"
            "        pass\n    os._exit(0)\nos.wait()\n",
            NULL);
    assert_true(run.end.cpu_us >= 300000 && run.end.cpu_us < 2000000);
}

static void test_cpu_time_is_without_the_warm_up(void **state)
{
    (void)state;
    execute("import time\nprint(time.process_time_ns() // 1000)", NULL);
    uint64_t since_exec_us = strtoull(run.out.bytes, NULL, 10);
    assert_true(run.end.cpu_us > 0 && run.end.cpu_us < since_exec_us);
}

static void test_memory_is_the_peak(void **state)
{
    (void)state;
    execute("x = bytearray(64 << 20)\ndel x", NULL);
    assert_true(run.end.memory_bytes >= 64u << 20 && run.end.memory_bytes < 128u << 20);
}

static void test_closed_stdin_kills_everything(void **state)
{
    (void)state;
    int life_line = open_life_line();
    start();
    send_text(FRAME_SOURCE, HOLD_LIFE_LINE
              "import os, signal\nsignal.signal(15, signal.SIG_IGN)\n"
              "if os.fork() == 0:\n    os.setsid()\nprint('up')\nsignal.pause()\n");
    await_output("up\n");
    close(run.to);
    run.to = -1;
    assert_int_equal(finish(NULL), 4);
    assert_false(run.ended);
    assert_all_dead(life_line);
}

static void test_closed_stdin_is_seen_behind_waiting_input(void **state)
{
    (void)state;
    static char chunk[FRAME_MAX_PAYLOAD];
    start();
    send_text(FRAME_SOURCE, "import time\nprint('up')\ntime.sleep(1000)\n");
    await_output("up\n");
    for (int i = 0; i < 3; i++) { /* the program's pipe, the supervisor, most of our pipe */
        send_frame(FRAME_STDIN, chunk, sizeof chunk - FRAME_HEAD_BYTES);
    }
    close(run.to);
    run.to = -1;
    assert_int_equal(finish(NULL), 4);
}

static void test_closed_stdin_before_a_program(void **state)
{
    (void)state;
    start();
    close(run.to);
    run.to = -1;
    assert_int_equal(finish(NULL), 4);
}

static void test_closed_stdout_kills_everything(void **state)
{
    (void)state;
    int life_line = open_life_line();
    start();
    send_text(FRAME_SOURCE, HOLD_LIFE_LINE "print('up')\ninput()\nprint('more')\ninput()\n");
    await_output("up\n");
    close(run.from);
    send_text(FRAME_STDIN, "\n");
    static struct text said;
    read_to_end(run.from_stderr, &said);
    assert_string_equal(said.bytes, "vve-supervisor: nobody reads any more\n");
    assert_int_equal(exit_status(run.pid), 4);
    assert_all_dead(life_line);
    close(run.to);
    close(run.from_stderr);
}

static void test_supervisor_that_cannot_wait_leaves(void **state)
{
    (void)state;
    static struct text said;
    int life_line = open_life_line();
    start();
    send_text(FRAME_SOURCE,
              HOLD_LIFE_LINE "import resource, signal\n"
                             "resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))\n"
                             "print('deaf')\nsignal.pause()\n");
    assert_int_equal(finish(&said), 1);
    assert_string_equal(said.bytes, "vve-supervisor: cannot wait\n");
    assert_false(run.ended);
    assert_all_dead(life_line);
}

static void refuse(const void *bytes, size_t len)
{
    start();
    send_raw(bytes, len);
    assert_int_equal(finish(NULL), 2);
    assert_false(run.ended);
}

static void test_malformed_frames_end_it(void **state)
{
    (void)state;
    refuse("?", 1);
    refuse("R\0\0\0\0", 5);  /* ours to send */
    refuse("S\0\1\0\1", 5);  /* one byte too long */
    refuse("I\0\0\0\1x", 6); /* before a source */
    refuse("C\0\0\0\0", 5);
    refuse("S\0\0\0\0S\0\0\0\0", 10); /* a second one */
}

static void test_source_may_come_in_pieces(void **state)
{
    (void)state;
    static const char bytes[] = "S\0\0\0\x08print(1)I\0\0\0\1xE\0\0\0\0";
    start();
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        send_raw(bytes + i, 1);
    }
    finish_run();
    assert_string_equal(run.out.bytes, "1\n");
}

static void test_source_may_come_before_ready(void **state)
{
    (void)state;
    start_with("10240", "1048576", python_path, workdir);
    send_text(FRAME_SOURCE, "print(2)");
    finish_run();
    assert_true(run.ready);
    assert_string_equal(run.out.bytes, "2\n");
}

static void test_interpreter_that_does_not_start(void **state)
{
    (void)state;
    static struct text said;
    start_with("10240", "1048576", python_path, "/nonexistent");
    assert_int_equal(finish(&said), 3);
    assert_false(run.ready);
    assert_string_equal(said.bytes,
                        "python3: No such file or directory\n"
                        "vve-supervisor: the interpreter ended before it had a program\n");
}

static void test_interpreter_without_warm_up(void **state)
{
    (void)state;
    static struct text said;
    unlink(script_path);
    start_with("10240", "1048576", "/nonexistent", workdir);
    assert_int_equal(finish(&said), 3);
    assert_false(run.ready);
    assert_non_null(strstr(said.bytes, "can't open file"));
}

static void test_wrong_arguments(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "x", "-1", "1x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        start_with(wrong[i], "0", python_path, workdir);
        assert_int_equal(finish(NULL), 1);
    }
}

static void test_refuses_to_share_a_namespace(void **state)
{
    (void)state;
    static struct text said;
    char *argv[] = {supervisor_path, NULL};
    int fds[3];
    pid_t pid = spawn(argv, environ, fds);
    read_to_end(fds[2], &said);
    assert_int_equal(exit_status(pid), 1);
    assert_string_equal(said.bytes,
                        "vve-supervisor: must be the first process of a container\n");
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

/* --- fixture ----------------------------------------------------------------------------- */

static void find_parts(char warm[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(len > 0);
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(supervisor_path, sizeof supervisor_path, "%.4000s/vve-supervisor", self);
    char here[] = __FILE__; /* absolute, as CMake names sources */
    *strrchr(here, '/') = '\0';
    snprintf(warm, PATH_MAX, "%.4000s/../../src/run/warm.py", here);
}

static int set_up_group(void **state)
{
    (void)state;
    char warm[PATH_MAX];
    char link[PATH_MAX];
    find_parts(warm);
    if (mkdtemp(python_path) == NULL || mkdtemp(workdir) == NULL) {
        return -1;
    }
    snprintf(script_path, sizeof script_path, "%s/main.py", workdir);
    snprintf(link, sizeof link, "%s/sitecustomize.py", python_path);
    return symlink(warm, link);
}

static int tear_down_group(void **state)
{
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/sitecustomize.py", python_path);
    unlink(path);
    snprintf(path, sizeof path, "%s/life", workdir);
    unlink(path);
    snprintf(path, sizeof path, "%s/holder", workdir);
    unlink(path);
    unlink(script_path);
    return rmdir(python_path) | rmdir(workdir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_empty_source),
        cmocka_unit_test(test_largest_source),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_stdin_and_its_end),
        cmocka_unit_test(test_dialogue),
        cmocka_unit_test(test_waiting_is_told_behind_the_prompt),
        cmocka_unit_test(test_lines_ahead_are_no_wait),
        cmocka_unit_test(test_what_is_no_wait),
        cmocka_unit_test(test_a_wait_may_end_without_input),
        cmocka_unit_test(test_waits_are_told_so_often_and_no_oftener),
        cmocka_unit_test(test_large_stdin),
        cmocka_unit_test(test_stdin_nobody_reads),
        cmocka_unit_test(test_traceback_is_exact),
        cmocka_unit_test(test_same_as_plain_python),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_interrupt_at_once),
        cmocka_unit_test(test_interrupt_passes_waiting_stdin),
        cmocka_unit_test(test_kill_tells_the_figures),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_flood_is_stopped),
        cmocka_unit_test(test_flood_limit_is_exact),
        cmocka_unit_test(test_flood_from_an_orphan),
        cmocka_unit_test(test_output_waits_for_a_reader),
        cmocka_unit_test(test_order_within_each_stream),
        cmocka_unit_test(test_closed_stdout_is_no_end),
        cmocka_unit_test(test_daemon_with_our_stdout_dies_before_the_end),
        cmocka_unit_test(test_output_ends_without_end_of_file),
        cmocka_unit_test(test_fork_chain_dies),
        cmocka_unit_test(test_orphans_are_reaped),
        cmocka_unit_test(test_cpu_time_counts_children),
        cmocka_unit_test(test_cpu_time_is_without_the_warm_up),
        cmocka_unit_test(test_memory_is_the_peak),
        cmocka_unit_test(test_closed_stdin_kills_everything),
        cmocka_unit_test(test_closed_stdin_is_seen_behind_waiting_input),
        cmocka_unit_test(test_closed_stdin_before_a_program),
        cmocka_unit_test(test_closed_stdout_kills_everything),
        cmocka_unit_test(test_supervisor_that_cannot_wait_leaves),
        cmocka_unit_test(test_malformed_frames_end_it),
        cmocka_unit_test(test_source_may_come_in_pieces),
        cmocka_unit_test(test_source_may_come_before_ready),
        cmocka_unit_test(test_interpreter_that_does_not_start),
        cmocka_unit_test(test_interpreter_without_warm_up),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_refuses_to_share_a_namespace),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
