/* The Engine's answers as data, and the client against sockets that misbehave. */
#include "run/docker.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void settles_the_version(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int minor; /* -1: refused */
        const char *code;
    } rows[] = {
        {"{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}", 41, NULL},
        {"{\"ApiVersion\":\"1.42\"}", 42, NULL},
        {"{\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.12\"}", 43, NULL},
        {"{\"ApiVersion\":\"1.47\",\"MinAPIVersion\":\"1.24\"}", 43, NULL},
        {"{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}", 44, NULL},
        {"{\"ApiVersion\":\"1.40\"}", -1, "engine_refused"},
        {"{\"ApiVersion\":\"2.0\"}", -1, "bad_answer"},
        {"{\"ApiVersion\":\"1.41x\"}", -1, "bad_answer"},
        {"{\"ApiVersion\":1.41}", -1, "bad_answer"},
        {"{\"ApiVersion\":\"1.41\",\"ApiVersion\":\"1.42\"}", -1, "bad_answer"},
        {"{}", -1, "bad_answer"},
        {"[]", -1, "bad_answer"},
        {"{\"ApiVersion\":\"1.4", -1, "bad_answer"},
        {"", -1, "bad_answer"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int minor = -1;
        struct err err = {0};
        bool ok = docker_parse_version(view_of(rows[i].body), &minor, &err);
        assert_int_equal(ok, rows[i].minor >= 0);
        assert_int_equal(minor, rows[i].minor);
        if (!ok) {
            assert_string_equal(err.code, rows[i].code);
        }
    }
}

static void reads_what_was_created(void **state)
{
    (void)state;
    struct docker_created created;
    assert_true(
        docker_parse_created(view_of("{\"Id\":\"" ID "\",\"Warnings\":[]}"), &created, NULL));
    assert_string_equal(created.id, ID);
    assert_string_equal(created.warnings, "");
    assert_true(
        docker_parse_created(view_of("{\"Id\":\"" ID "\",\"Warnings\":null}"), &created, NULL));
    assert_string_equal(created.warnings, "");
    assert_true(docker_parse_created(
        view_of("{\"Id\":\"" ID "\",\"Warnings\":[\"one\",\"two\",3]}"), &created, NULL));
    assert_string_equal(created.warnings, "one\ntwo");
    assert_false(docker_parse_created(view_of("{\"Id\":\"" ID "0\"}"), &created, NULL));
    assert_false(docker_parse_created(view_of("{\"Id\":\"../../0123\"}"), &created, NULL));
    assert_false(docker_parse_created(view_of("{\"Warnings\":[]}"), &created, NULL));
}

static void cuts_endless_warnings(void **state)
{
    (void)state;
    static char body[4096];
    struct docker_created created;
    size_t len = (size_t)snprintf(body, sizeof body, "{\"Id\":\"" ID "\",\"Warnings\":[\"");
    memset(body + len, 'w', 3000);
    snprintf(body + len + 3000, sizeof body - len - 3000, "\",\"second\"]}");
    assert_true(docker_parse_created(view_of(body), &created, NULL));
    assert_int_equal(strlen(created.warnings), sizeof created.warnings - 1);
}

static void reads_the_state(void **state)
{
    (void)state;
    struct docker_state got;
    assert_true(docker_parse_state(
        view_of("{\"State\":{\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137}}"), &got,
        NULL));
    assert_false(got.running);
    assert_true(got.oom_killed);
    assert_int_equal(got.exit_code, 137);
    static const char *const bad[] = {
        "{\"State\":{\"Running\":false,\"OOMKilled\":true}}",
        "{\"State\":{\"Running\":\"false\",\"OOMKilled\":true,\"ExitCode\":0}}",
        "{\"State\":{\"Running\":false,\"OOMKilled\":true,\"ExitCode\":-1}}",
        "{\"State\":{\"Running\":false,\"OOMKilled\":true,\"ExitCode\":4294967296}}",
        "{\"State\":[]}",
        "null",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(docker_parse_state(view_of(bad[i]), &got, NULL));
    }
}

static void reads_the_list(void **state)
{
    (void)state;
    static struct docker_list list;
    assert_true(docker_parse_list(view_of("[]"), &list, NULL));
    assert_int_equal(list.count, 0);
    assert_true(docker_parse_list(
        view_of("[{\"Id\":\"" ID "\",\"Labels\":{\"vve\":\"1\",\"vve.worker\":\"h-0-ab\"}},"
                "{\"Id\":\"" ID "\",\"Labels\":{\"vve\":\"1\"}}]"),
        &list, NULL));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].worker, "h-0-ab");
    assert_string_equal(list.items[1].worker, "");
    assert_false(docker_parse_list(view_of("[{}]"), &list, NULL));
    assert_false(docker_parse_list(view_of("{\"Id\":\"" ID "\"}"), &list, NULL));
}

static void bounds_the_list(void **state)
{
    (void)state;
    static struct docker_list list;
    static char body[(DOCKER_LIST_MAX + 2) * 80];
    size_t len = 0;
    for (int i = 0; i < DOCKER_LIST_MAX + 1; i++) {
        len += (size_t)snprintf(body + len, sizeof body - len, "%c{\"Id\":\"" ID "\"}",
                                i == 0 ? '[' : ',');
    }
    snprintf(body + len, sizeof body - len, "]");
    assert_true(docker_parse_list(view_of(body), &list, NULL));
    assert_int_equal(list.count, DOCKER_LIST_MAX);
}

static void reads_the_reason(void **state)
{
    (void)state;
    char text[16];
    docker_parse_message(view_of("{\"message\":\"No such image\"}"), text, sizeof text);
    assert_string_equal(text, "No such image");
    docker_parse_message(view_of("{\"message\":\"a long, long story\"}"), text, sizeof text);
    assert_string_equal(text, "a long, long st");
    docker_parse_message(view_of("<html>"), text, sizeof text);
    assert_string_equal(text, "no reason given");
}

/* --- an Engine that misbehaves ------------------------------------------------------------ */

struct engine {
    char path[64];
    int listener;
    pthread_t thread;
    const char *const *answers; /* one a request, each on its own connection; NULL ends */
};

static void *engine_main(void *argument)
{
    struct engine *engine = argument;
    for (size_t i = 0; engine->answers[i] != NULL; i++) {
        char request[4096];
        int fd = accept(engine->listener, NULL, NULL);
        assert_true(fd >= 0);
        assert_true(recv(fd, request, sizeof request, 0) > 0);
        size_t len = strlen(engine->answers[i]);
        assert_int_equal(send(fd, engine->answers[i], len, MSG_NOSIGNAL), (ssize_t)len);
        close(fd);
    }
    return NULL;
}

static void engine_start(struct engine *engine, const char *const *answers)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(engine->path, sizeof engine->path, "/tmp/vve-test-engine-%d.sock", getpid());
    snprintf(address.sun_path, sizeof address.sun_path, "%s", engine->path);
    unlink(engine->path);
    engine->answers = answers;
    engine->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(engine->listener >= 0);
    assert_int_equal(bind(engine->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(engine->listener, 8), 0);
    assert_int_equal(pthread_create(&engine->thread, NULL, engine_main, engine), 0);
}

static void engine_stop(struct engine *engine)
{
    pthread_join(engine->thread, NULL);
    close(engine->listener);
    unlink(engine->path);
}

#define OK_STATE "{\"State\":{\"Running\":false,\"OOMKilled\":false,\"ExitCode\":0}}"

static void a_cut_wait_means_inspect(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", /* and the Engine dies */
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 58\r\n\r\n" OK_STATE, NULL};
    assert_int_equal(strlen(OK_STATE), 58);
    struct engine engine;
    engine_start(&engine, answers);
    struct docker *docker = docker_create(engine.path);
    struct err err = {0};
    assert_true(docker_container_wait(docker, ID, 5000, &err));
    docker_destroy(docker);
    engine_stop(&engine);
}

static void a_cut_answer_is_no_answer(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"Id\":\"" ID "\"}", NULL};
    struct engine engine;
    engine_start(&engine, answers);
    struct docker *docker = docker_create(engine.path);
    struct docker_created created;
    struct err err = {0};
    assert_false(docker_container_create(docker, "{}", &created, &err));
    assert_string_equal(err.code, "engine_down");
    docker_destroy(docker);
    engine_stop(&engine);
}

static void refusals_are_told_apart(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 16\r\n\r\n"
        "{\"message\":\"no\"}",
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 16\r\n\r\n"
        "{\"message\":\"no\"}",
        "HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 16\r\n\r\n"
        "{\"message\":\"no\"}",
        NULL};
    struct engine engine;
    engine_start(&engine, answers);
    struct docker *docker = docker_create(engine.path);
    struct err err = {0};
    assert_false(docker_container_start(docker, ID, &err));
    assert_string_equal(err.code, "not_found");
    assert_true(docker_container_remove(docker, ID, &err)); /* gone is what was wanted */
    assert_false(docker_container_kill(docker, ID, &err));
    assert_string_equal(err.code, "engine_refused");
    docker_destroy(docker);
    engine_stop(&engine);
}

static void an_absent_engine_is_down(void **state)
{
    (void)state;
    struct docker *docker = docker_create("/nonexistent/docker.sock");
    struct err err = {0};
    int64_t before = clock_mono_ms();
    assert_false(docker_negotiate(docker, &err));
    assert_string_equal(err.code, "engine_down");
    assert_false(docker_container_wait(docker, ID, 3000, &err));
    assert_null(docker_attach(docker, ID, &err));
    assert_string_equal(err.code, "engine_down");
    assert_true(clock_mono_ms() - before < 2000);
    docker_destroy(docker);
}

static int set_up(void **state)
{
    (void)state;
    return docker_global_init() ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    docker_global_finish();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settles_the_version),
        cmocka_unit_test(reads_what_was_created),
        cmocka_unit_test(cuts_endless_warnings),
        cmocka_unit_test(reads_the_state),
        cmocka_unit_test(reads_the_list),
        cmocka_unit_test(bounds_the_list),
        cmocka_unit_test(reads_the_reason),
        cmocka_unit_test(a_cut_wait_means_inspect),
        cmocka_unit_test(a_cut_answer_is_no_answer),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(an_absent_engine_is_down),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
