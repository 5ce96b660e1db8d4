/* What a service manager hears of us: a real datagram socket, and the loop that a daemon has. */
#include "net/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 10, TURNS_MAX = 1000 };

/* The manager, and the service that talks to it. */
struct talk {
    int manager;
    uv_loop_t loop;
    struct service *service;
    bool well;
    int asked; /* whether it is well */
};

static struct talk talk;

static void set_pid(const char *name, long pid)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", pid);
    setenv(name, text, 1);
}

static int clear_environment(void **state)
{
    (void)state;
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                        "LISTEN_PID", "LISTEN_FDS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
    }
    return 0;
}

static bool is_well(void *context)
{
    struct talk *t = context;
    t->asked++;
    return t->well;
}

/* `address` as a manager writes it: a path, or '@' and a name. */
static void listen_at(const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = DEADLINE_S};
    size_t len = strlen(address);
    memcpy(name.sun_path, address, len);
    name.sun_path[0] = address[0] == '@' ? '\0' : address[0];
    talk.manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(talk.manager, (struct sockaddr *)&name,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    setsockopt(talk.manager, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setenv("NOTIFY_SOCKET", address, 1);
}

static void begin(void)
{
    talk.well = true;
    talk.asked = 0;
    uv_loop_init(&talk.loop);
    talk.service = service_open(&talk.loop, is_well, &talk);
}

static void end(void)
{
    service_close(talk.service);
    uv_run(&talk.loop, UV_RUN_DEFAULT);
    service_finish(talk.service);
    assert_int_equal(uv_loop_close(&talk.loop), 0);
}

/* The next message; "" if none is there (`wait`: none within the deadline). */
static const char *heard(bool wait)
{
    static char text[64];
    ssize_t got = recv(talk.manager, text, sizeof text - 1, wait ? 0 : MSG_DONTWAIT);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void assert_ready_and_stopping_are_heard(const char *address)
{
    listen_at(address);
    begin();
    service_ready(talk.service);
    assert_string_equal(heard(true), "READY=1");
    service_stopping(talk.service);
    assert_string_equal(heard(true), "STOPPING=1");
    end();
    assert_string_equal(heard(false), "");
    close(talk.manager);
}

static void test_a_path(void **state)
{
    (void)state;
    char folder[] = "/tmp/vve-test-XXXXXX";
    char address[64];
    assert_non_null(mkdtemp(folder));
    snprintf(address, sizeof address, "%s/notify", folder);
    assert_ready_and_stopping_are_heard(address);
    unlink(address);
    rmdir(folder);
}

static void test_an_abstract_name(void **state)
{
    (void)state;
    char address[64];
    snprintf(address, sizeof address, "@vve-test-%ld", (long)getpid());
    assert_ready_and_stopping_are_heard(address);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    static const char *const addresses[] = {NULL, "", "relative", "/nowhere/notify"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (addresses[i] != NULL) {
            setenv("NOTIFY_SOCKET", addresses[i], 1);
        }
        begin();
        service_ready(talk.service);
        end();
    }
    char long_one[200] = "/";
    memset(long_one + 1, 'a', sizeof long_one - 2);
    setenv("NOTIFY_SOCKET", long_one, 1);
    begin();
    service_ready(talk.service);
    end();
}

/* Turns the loop until `is_well` was asked so many times more. */
static void await_questions(int count)
{
    int until = talk.asked + count;
    for (int i = 0; i < TURNS_MAX && talk.asked < until; i++) {
        uv_run(&talk.loop, UV_RUN_ONCE);
    }
    assert_true(talk.asked >= until);
}

static void listen_with_watchdog(const char *usec)
{
    char address[64];
    snprintf(address, sizeof address, "@vve-test-%ld", (long)getpid());
    listen_at(address);
    setenv("WATCHDOG_USEC", usec, 1);
}

static void test_a_sign_of_life_is_given_by_the_well_alone(void **state)
{
    (void)state;
    listen_with_watchdog("4000");
    begin();
    await_questions(2);
    assert_string_equal(heard(true), "WATCHDOG=1");
    assert_string_equal(heard(true), "WATCHDOG=1");
    talk.well = false;
    await_questions(3);
    assert_string_equal(heard(false), "");
    talk.well = true;
    await_questions(1);
    assert_string_equal(heard(true), "WATCHDOG=1");
    end();
    close(talk.manager);
}

static void test_a_sign_of_life_is_due_at_half_of_its_time(void **state)
{
    (void)state;
    listen_with_watchdog("400000");
    begin();
    uint64_t began = uv_now(&talk.loop);
    await_questions(1);
    assert_true(uv_now(&talk.loop) - began >= 200);
    end();
    close(talk.manager);
}

static void test_no_sign_of_life_that_is_not_wanted(void **state)
{
    (void)state;
    static const char *const wishes[] = {"", "0", "-1", "4000x", " 4000"};
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        listen_with_watchdog(wishes[i]);
        begin();
        assert_int_equal(uv_run(&talk.loop, UV_RUN_ONCE), 0); /* nothing to wait for */
        end();
        close(talk.manager);
    }
    listen_with_watchdog("4000");
    set_pid("WATCHDOG_PID", (long)getpid() + 1); /* meant for another */
    begin();
    assert_int_equal(uv_run(&talk.loop, UV_RUN_ONCE), 0);
    end();
    set_pid("WATCHDOG_PID", (long)getpid());
    begin();
    await_questions(1);
    end();
    close(talk.manager);
}

static void assert_listener(long pid, const char *count, int wanted)
{
    struct err err = {.code = NULL};
    int fd = -1;
    set_pid("LISTEN_PID", pid);
    setenv("LISTEN_FDS", count, 1);
    assert_int_equal(service_listener(&fd, &err), wanted >= 0);
    if (wanted >= 0) {
        assert_int_equal(fd, wanted);
    } else {
        assert_string_equal(err.code, "cannot_listen");
    }
}

static void test_the_listener(void **state)
{
    (void)state;
    int fd = -1;
    assert_true(service_listener(&fd, NULL));
    assert_int_equal(fd, 0);
    assert_listener(getpid(), "1", 3);
    assert_listener(getpid(), "0", 0);
    assert_listener(getpid(), "one", 0);
    assert_listener(getpid(), "2", -1);
    assert_listener((long)getpid() + 1, "1", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_path, clear_environment),
        cmocka_unit_test_setup(test_an_abstract_name, clear_environment),
        cmocka_unit_test_setup(test_nobody_listens, clear_environment),
        cmocka_unit_test_setup(test_a_sign_of_life_is_given_by_the_well_alone,
                               clear_environment),
        cmocka_unit_test_setup(test_a_sign_of_life_is_due_at_half_of_its_time,
                               clear_environment),
        cmocka_unit_test_setup(test_no_sign_of_life_that_is_not_wanted, clear_environment),
        cmocka_unit_test_setup(test_the_listener, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
