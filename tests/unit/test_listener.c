/* A listening socket that somebody else has made, as a service manager gives it: serving on it,
 * leaving it to the next, and what is no such socket. */
#include "http_harness.h"

#include <fcntl.h>

static void on_request(struct http_exchange *exchange, void *context)
{
    (void)context;
    http_reply(exchange, 200, "text/plain", view_of("here"), HTTP_COPY_BODY, NULL, 0);
}

/* Blocking, and left open by exec. */
static int make_listener(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, "127.0.0.1", &address->sin_addr);
    assert_int_equal(bind(listener, (struct sockaddr *)address, len), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &len), 0);
    return listener;
}

static const struct http_settings ordinary = {.body_max_bytes = 1, .connections_per_client = 8};

static void assert_served(int fd)
{
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    char *reply = hear_all(fd);
    assert_status(reply, "200");
    free(reply);
}

static void test_it_is_taken_and_left_to_the_next(void **state)
{
    (void)state;
    struct served served = {0};
    struct sockaddr_in address;
    int listener = make_listener(&address);
    int kept = fcntl(listener, F_DUPFD_CLOEXEC, 0);
    struct http_settings settings = ordinary;
    settings.port = 1; /* does not count */
    settings.inherited_fd = listener;
    served_start(&served, settings, on_request, NULL);
    assert_int_equal(http_port(served.http), ntohs(address.sin_port));
    assert_int_equal(fcntl(listener, F_GETFD), FD_CLOEXEC);
    assert_served(dial(&served, "127.0.0.1"));
    served_stop(&served);
    assert_int_equal(fcntl(listener, F_GETFD), -1); /* closed, but only here: */

    int early = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(early, (struct sockaddr *)&address, sizeof address), 0);
    settings.inherited_fd = kept;
    served_start(&served, settings, on_request, NULL);
    assert_served(early);
    served_stop(&served);
}

static void assert_refused(int fd)
{
    struct err err = {.code = NULL};
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct http_settings settings = ordinary;
    settings.loop = &loop;
    settings.host = "127.0.0.1";
    settings.inherited_fd = fd;
    assert_null(http_open(&settings, on_request, NULL, &err));
    assert_string_equal(err.code, "cannot_listen");
    assert_int_equal(uv_loop_close(&loop), 0);
    close(fd);
}

static void test_what_does_not_listen_is_refused(void **state)
{
    (void)state;
    int pair[2];
    const struct sockaddr unnamed = {.sa_family = AF_UNIX}; /* the kernel chooses a name */
    int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(local, &unnamed, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(local, 8), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_refused(local);
    assert_refused(pair[0]);
    assert_refused(pair[1]);
    assert_refused(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    assert_refused(open("/dev/null", O_RDONLY | O_CLOEXEC));
    assert_refused(1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_taken_and_left_to_the_next),
        cmocka_unit_test(test_what_does_not_listen_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
