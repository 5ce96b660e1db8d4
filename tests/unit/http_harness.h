/* A real HTTP server in a thread of its own, on a port of the kernel's choice, and raw sockets
 * against it, for the tests of the HTTP edge. The server's thread owns everything in `struct
 * served` while it runs; only bytes cross between the threads. */
#ifndef VVE_TESTS_HTTP_HARNESS_H
#define VVE_TESTS_HTTP_HARNESS_H

#include "net/http.h"

#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 10, MAX_HEARD = 32 * 1024 * 1024 };

struct served {
    uv_loop_t loop;
    uv_async_t stop;
    uv_prepare_t turn;
    long turns; /* of the loop, so far */
    struct http *http;
    int left; /* what uv_loop_close said */
    pthread_t thread;
};

static inline void served_on_stop(uv_async_t *stop)
{
    struct served *served = stop->data;
    http_stop_accepting(served->http);
    http_close(served->http);
    uv_close((uv_handle_t *)stop, NULL);
    uv_close((uv_handle_t *)&served->turn, NULL);
}

static inline void served_on_turn(uv_prepare_t *turn)
{
    ((struct served *)turn->data)->turns++;
}

static inline void *served_run(void *context)
{
    struct served *served = context;
    uv_run(&served->loop, UV_RUN_DEFAULT);
    http_finish(served->http);
    served->left = uv_loop_close(&served->loop);
    return NULL;
}

/* `settings` without loop and host. */
static inline void served_start(struct served *served, struct http_settings settings,
                                http_handler *handler, void *context)
{
    struct err err;
    uv_loop_init(&served->loop);
    settings.loop = &served->loop;
    settings.host = "127.0.0.1";
    served->http = http_open(&settings, handler, context, &err);
    assert_non_null(served->http);
    uv_async_init(&served->loop, &served->stop, served_on_stop);
    served->stop.data = served;
    uv_prepare_init(&served->loop, &served->turn);
    served->turn.data = served;
    uv_prepare_start(&served->turn, served_on_turn);
    assert_int_equal(pthread_create(&served->thread, NULL, served_run, served), 0);
}

/* Proves that nothing is left: the loop closes, and the leak checkers see the rest. */
static inline void served_stop(struct served *served)
{
    uv_async_send(&served->stop);
    pthread_join(served->thread, NULL);
    assert_int_equal(served->left, 0);
}

/* `from`: the loopback address to come from; each is a client of its own. */
static inline int dial(const struct served *served, const char *from)
{
    struct timeval limit = {.tv_sec = DEADLINE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    inet_pton(AF_INET, from, &address.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons((uint16_t)http_port(served->http));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything up to the orderly end of the connection: a reset fails the test. */
static inline char *hear_all(int fd)
{
    struct buf in;
    char bytes[65536];
    ssize_t got;
    buf_init(&in, MAX_HEARD);
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        buf_append(&in, bytes, (size_t)got);
    }
    if (got < 0) {
        fail_msg("after %zu bytes: %s", in.len, strerror(errno));
    }
    close(fd);
    return in.data != NULL ? in.data : mem_string("");
}

static inline void hear(int fd, const char *text)
{
    char bytes[256];
    size_t len = strlen(text);
    assert_true(len < sizeof bytes);
    assert_int_equal(recv(fd, bytes, len, MSG_WAITALL), len);
    bytes[len] = '\0';
    assert_string_equal(bytes, text);
}

static inline char *ask_from(const struct served *served, const char *from, const char *request)
{
    int fd = dial(served, from);
    say(fd, request);
    return hear_all(fd);
}

static inline char *ask(const struct served *served, const char *request)
{
    return ask_from(served, "127.0.0.1", request);
}

static inline const char *body_of(const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static inline void assert_status(const char *reply, const char *status)
{
    char start[32];
    snprintf(start, sizeof start, "HTTP/1.1 %s ", status);
    if (strncmp(reply, start, strlen(start)) != 0) {
        fail_msg("expected %s, got: %.300s", status, reply);
    }
}

#endif
