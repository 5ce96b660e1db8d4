/* The HTTP edge end to end: a real server on a port of the kernel's choice in a thread of its
 * own, and raw sockets against it. What the server does is chosen by the path, so that nothing
 * but bytes crosses between the threads. */
#include "http_harness.h"
#include "net/origin.h"
#include "net/sse.h"

#include "base/clock.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

enum {
    BODY_MAX = 1000,
    CAP = 6,
    MIB = 1024 * 1024,
    BIG = 8 * MIB,
    LARGEST_EVENT = 12 * MIB,
    TOO_LARGE_EVENT = 17 * MIB,
};

/* --- the server --- */

struct server {
    struct served served;
    uint64_t waiting[2 * CAP]; /* the exchanges of /wait... that have no reply yet */
    size_t waiting_count;
    int closes; /* connections of /wait, /idle, /flood, /stuck and /cut that ended */
};

static char *const proxies[] = {"127.0.0.9", NULL};
static char *const origins[] = {"https://friend.example", "https://trial-*.friend.example",
                                NULL};
static char big[TOO_LARGE_EVENT];

static void on_close(struct http_exchange *exchange, void *context)
{
    (void)exchange;
    ((struct server *)context)->closes++;
}

static void reply_text(struct http_exchange *exchange, const char *text)
{
    http_reply(exchange, 200, "text/plain", view_of(text), HTTP_COPY_BODY, NULL, 0);
}

static void reply_request(struct http_exchange *exchange)
{
    const struct http_request *r = http_request(exchange);
    struct buf out;
    buf_init(&out, 16384);
    buf_printf(&out, "%s|%s|%s|%s|%d|%s|%.*s", r->method, r->path, r->query, r->client,
               r->loopback, r->content_type, (int)r->body.len, r->body.at);
    http_reply(exchange, 200, "text/plain", buf_view(&out), HTTP_COPY_BODY, NULL, 0);
    http_reply(exchange, 500, NULL, view_of(""), HTTP_COPY_BODY, NULL, 0); /* is ignored */
    buf_finish(&out);
}

static void release(struct http_exchange *waiting)
{
    if (strcmp(http_request(waiting)->path, "/wait-stream") == 0) {
        sse_begin(waiting);
    } else {
        reply_text(waiting, "released");
    }
}

static void reply_release(struct server *server, struct http_exchange *exchange)
{
    char text[64];
    size_t there = 0;
    int closes = server->closes;
    for (size_t i = 0; i < server->waiting_count; i++) {
        struct http_exchange *waiting = http_find(server->served.http, server->waiting[i]);
        if (waiting != NULL) {
            there++;
            release(waiting);
        }
    }
    server->waiting_count = 0;
    snprintf(text, sizeof text, "%zu waited, %d closed", there, closes);
    reply_text(exchange, text);
}

static void stream_numbers(struct http_exchange *exchange)
{
    sse_begin(exchange);
    sse_event(exchange, "7-0", "output", view_of("one\ntwo\r\nthree"));
    sse_event(exchange, NULL, "end", view_of("{}"));
    sse_end(exchange);
    sse_event(exchange, NULL, "late", view_of("never seen"));
}

static void stream_too_much(struct http_exchange *exchange)
{
    http_stream_begin(exchange, "text/plain", 65536);
    for (int i = 0; i < 400; i++) {
        http_stream_write(exchange, (struct view){big, 60000});
    }
    http_stream_end(exchange);
}

/* More than the sockets hold; and from then on something new to say all the time. */
static void stream_without_end(struct http_exchange *exchange)
{
    http_stream_begin(exchange, "text/plain", 2 * BIG);
    http_stream_write(exchange, (struct view){big, BIG});
    http_stream_keep_alive(exchange, 1, view_of("tick"));
}

/* The largest replay that a run can make. */
static void stream_largest(struct http_exchange *exchange)
{
    sse_begin(exchange);
    sse_event(exchange, "1-0", "output", (struct view){big, LARGEST_EVENT / 2});
    sse_event(exchange, "2-0", "end", (struct view){big, LARGEST_EVENT});
    sse_end(exchange);
}

static void stream_too_large(struct http_exchange *exchange)
{
    sse_begin(exchange);
    sse_event(exchange, "1-0", "output", view_of("small"));
    sse_event(exchange, "2-0", "output", (struct view){big, TOO_LARGE_EVENT});
    sse_event(exchange, "3-0", "end", view_of("{}"));
    sse_end(exchange);
}

static void reply_late(struct server *server, struct http_exchange *exchange)
{
    http_notify_close(exchange, on_close, server);
    assert_true(server->waiting_count < 2 * CAP);
    server->waiting[server->waiting_count++] = http_id(exchange);
}

static void on_request(struct http_exchange *exchange, void *context)
{
    struct server *server = context;
    const char *path = http_request(exchange)->path;
    if (strcmp(path, "/wait") == 0 || strcmp(path, "/wait-stream") == 0) {
        reply_late(server, exchange);
    } else if (strcmp(path, "/quiet") == 0) {
        http_notify_close(exchange, on_close, server);
        http_notify_close(exchange, NULL, NULL);
        reply_text(exchange, "quiet");
    } else if (strcmp(path, "/release") == 0) {
        reply_release(server, exchange);
    } else if (strcmp(path, "/turns") == 0) {
        char text[32];
        snprintf(text, sizeof text, "%ld", server->served.turns);
        reply_text(exchange, text);
    } else if (strcmp(path, "/events") == 0) {
        stream_numbers(exchange);
    } else if (strcmp(path, "/idle") == 0) {
        http_notify_close(exchange, on_close, server);
        http_stream_begin(exchange, "text/plain", 100);
        http_stream_keep_alive(exchange, 60, view_of("tick"));
    } else if (strcmp(path, "/flood") == 0) {
        http_notify_close(exchange, on_close, server);
        stream_too_much(exchange);
    } else if (strcmp(path, "/stuck") == 0) {
        http_notify_close(exchange, on_close, server);
        stream_without_end(exchange);
    } else if (strcmp(path, "/largest") == 0) {
        stream_largest(exchange);
    } else if (strcmp(path, "/cut") == 0) {
        http_notify_close(exchange, on_close, server);
        stream_too_large(exchange);
    } else if (strcmp(path, "/big") == 0) {
        http_reply(exchange, 200, "text/plain", (struct view){big, BIG}, HTTP_STATIC_BODY, NULL,
                   0);
    } else if (strcmp(path, "/error") == 0) {
        http_reply_error(exchange, 429, "rate_limited", "Say \"please\".", 7, NULL, 0);
    } else if (strcmp(path, "/error-utf8") == 0) {
        http_reply_error(exchange, 400, "bad_field", "\xc3\xa9", -1, NULL, 0);
    } else if (strcmp(path, "/error-latin1") == 0) {
        http_reply_error(exchange, 400, "bad_field", "caf\xe9 is no field", -1, NULL, 0);
    } else {
        reply_request(exchange);
    }
}

/* Only what a test wants otherwise is in `settings`. */
static struct server *start(struct http_settings settings)
{
    struct server *server = mem_alloc(sizeof *server);
    settings.body_max_bytes = BODY_MAX;
    settings.connections_per_client = CAP;
    settings.trusted_proxies = proxies;
    settings.allow_origins = origins;
    served_start(&server->served, settings, on_request, server);
    return server;
}

static void stop(struct server *server)
{
    served_stop(&server->served);
    free(server);
}

static int set_up(void **state)
{
    *state = start((struct http_settings){0});
    return 0;
}

static int tear_down(void **state)
{
    stop(*state);
    return 0;
}

/* Asks, and expects status and body. */
static void expect(const struct served *served, const char *request, const char *status,
                   const char *body)
{
    char *reply = ask(served, request);
    assert_status(reply, status);
    assert_string_equal(body_of(reply), body);
    free(reply);
}

/* What has reached the server's sockets is seen: the first answer comes from a turn of the loop
 * that may have begun before, the second does not. */
static void let_it_look(const struct served *served)
{
    for (int i = 0; i < 2; i++) {
        free(ask_from(served, "127.0.0.77", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
}

/* Waits until `what` is what /release says, which is the server's own view. */
static void await_release(const struct served *served, const char *what)
{
    time_t deadline = time(NULL) + DEADLINE_S;
    bool same = false;
    while (!same && time(NULL) < deadline) {
        char *reply =
            ask_from(served, "127.0.0.77", "GET /release HTTP/1.1\r\nHost: a\r\n\r\n");
        same = strcmp(body_of(reply), what) == 0;
        free(reply);
    }
    assert_true(same);
}

/* --- the tests --- */

static void test_get(void **state)
{
    expect(*state, "GET /a/b?c=d HTTP/1.1\r\nHost: a\r\n\r\n", "200",
           "GET|/a/b|c=d|127.0.0.1|0||");
    expect(*state, "GET /a? HTTP/1.0\r\n\r\n", "200", "GET|/a||127.0.0.1|1||");
    expect(*state, "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", "200", "DELETE|/x||127.0.0.1|0||");
}

static void test_every_reply_is_careful(void **state)
{
    static const char *const requests[] = {
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /error HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n",
    };
    static const char *const lines[] = {
        "\r\nConnection: close\r\n",
        "\r\nDate: ",
        "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; ",
        "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nReferrer-Policy: no-referrer\r\n",
        "\r\nCross-Origin-Opener-Policy: same-origin\r\n",
        "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
        "\r\nPermissions-Policy: ",
        "\r\nCache-Control: no-store\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char *reply = ask(*state, requests[i]);
        for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
            assert_non_null(strstr(reply, lines[k]));
        }
        free(reply);
    }
}

static void test_error_body(void **state)
{
    char *reply = ask(*state, "GET /error HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "429");
    assert_non_null(strstr(reply, "\r\nretry-after: 7\r\n"));
    assert_string_equal(body_of(reply), "{\"error\":{\"code\":\"rate_limited\",\"message\":"
                                        "\"Say \\\"please\\\".\",\"retryAfter\":7}}");
    free(reply);
    expect(*state, "GET /error-utf8 HTTP/1.1\r\nHost: a\r\n\r\n", "400",
           "{\"error\":{\"code\":\"bad_field\",\"message\":\"\xc3\xa9\"}}");
    expect(*state, "GET /error-latin1 HTTP/1.1\r\nHost: a\r\n\r\n", "400",
           "{\"error\":{\"code\":\"bad_field\",\"message\":\"Error.\"}}");
}

static void test_head_gets_the_head_alone(void **state)
{
    char *reply = ask(*state, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "200");
    assert_non_null(strstr(reply, "\r\nContent-Length: 22\r\n"));
    assert_string_equal(body_of(reply), "");
    free(reply);
    reply = ask(*state, "HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "200");
    assert_string_equal(body_of(reply), "");
    free(reply);
}

/* A request that is split at every byte is the same request. */
static void test_post_in_two_pieces(void **state)
{
    const char *request = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: x/y\r\n"
                          "Content-Length: 5\r\n\r\nhello";
    for (size_t cut = 1; cut < strlen(request); cut++) {
        int fd = dial(*state, "127.0.0.1");
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        assert_int_equal(send(fd, request, cut, MSG_NOSIGNAL), cut);
        say(fd, request + cut);
        char *reply = hear_all(fd);
        assert_status(reply, "200");
        assert_string_equal(body_of(reply), "POST|/p||127.0.0.1|0|x/y|hello");
        free(reply);
    }
}

static void test_body_of_the_largest_size_and_one_more(void **state)
{
    char request[BODY_MAX + 256];
    int head = snprintf(request, sizeof request,
                        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY_MAX);
    memset(request + head, 'x', BODY_MAX);
    request[head + BODY_MAX] = '\0';
    char *reply = ask(*state, request);
    assert_status(reply, "200");
    assert_int_equal(strlen(body_of(reply)), strlen("POST|/p||127.0.0.1|0||") + BODY_MAX);
    free(reply);
    snprintf(request, sizeof request,
             "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY_MAX + 1);
    expect(*state, request, "413",
           "{\"error\":{\"code\":\"body_too_large\",\"message\":"
           "\"The body may have 1000 bytes at most.\"}}");
}

/* The answer must reach a client that goes on sending when it is there already: to its end,
 * with no reset. */
static void test_too_large_body_is_answered_while_it_is_sent(void **state)
{
    int fd = dial(*state, "127.0.0.1");
    say(fd, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n");
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&answer, 1, DEADLINE_S * 1000), 1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(send(fd, big, 50000, MSG_NOSIGNAL), 50000);
    }
    char *reply = hear_all(fd);
    assert_status(reply, "413");
    free(reply);
}

static void test_second_request_is_ignored(void **state)
{
    expect(*state,
           "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
           "GET /second HTTP/1.1\r\nHost: a\r\n\r\n",
           "200", "POST|/p||127.0.0.1|0||hi");
    expect(*state, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
           "200", "GET|/1||127.0.0.1|0||");
}

static void test_expect_continue(void **state)
{
    int fd = dial(*state, "127.0.0.1");
    say(fd, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    hear(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "abc");
    char *reply = hear_all(fd);
    assert_status(reply, "200");
    assert_string_equal(body_of(reply), "POST|/p||127.0.0.1|0||abc");
    free(reply);
    reply = ask(*state, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n"
                        "Expect: 100-continue\r\n\r\n");
    assert_status(reply, "413");
    free(reply);
}

/* libwebsockets 4.1.6 lets the first field of each pair swallow the second. If it had a say in
 * how long a body is, "GET /smuggled" would be answered, or the body would be short. */
static void test_no_field_hides_another(void **state)
{
    static const char *const swallowers[] = {"X-A", "Con", "Conten", "Hos",
                                             "Up",  "A",   "Tran",   "X"};
    for (size_t i = 0; i < sizeof swallowers / sizeof swallowers[0]; i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "POST /p HTTP/1.1\r\nHost: a\r\n%s: 1\r\nContent-Length: 33\r\n\r\n"
                 "GET /smuggled HTTP/1.1\r\nHost: a\r\n",
                 swallowers[i]);
        char *reply = ask(*state, request);
        assert_status(reply, "200");
        assert_string_equal(body_of(reply),
                            "POST|/p||127.0.0.1|0||GET /smuggled HTTP/1.1\r\nHost: a\r\n");
        free(reply);
        snprintf(request, sizeof request,
                 "POST /p HTTP/1.1\r\nHost: a\r\n%s: 1\r\nTransfer-Encoding: chunked\r\n"
                 "Content-Length: 5\r\n\r\n0\r\n\r\n",
                 swallowers[i]);
        reply = ask(*state, request);
        assert_status(reply, "400");
        free(reply);
        snprintf(request, sizeof request,
                 "GET /u HTTP/1.1\r\nHost: a\r\n%s: 1\r\nUpgrade: h2c\r\n\r\n", swallowers[i]);
        reply = ask(*state, request);
        assert_status(reply, "200");
        free(reply);
    }
}

static void test_refusals_of_the_gate(void **state)
{
    expect(*state, "GET / HTTP/1.1\nHost: a\n\n", "400",
           "{\"error\":{\"code\":\"bad_request\",\"message\":"
           "\"A line ends without a carriage return.\"}}");
    expect(*state, "GET / HTTP/1.1\r\n\r\n", "400",
           "{\"error\":{\"code\":\"bad_request\",\"message\":"
           "\"The request does not name its host.\"}}");
    char *reply = ask(*state, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n0\r\n\r\n");
    assert_status(reply, "411");
    free(reply);
    reply = ask(*state, "\x16\x03\x01\x02");
    assert_status(reply, "400");
    free(reply);
}

static void test_head_too_large(void **state)
{
    struct buf request;
    buf_init(&request, 70000);
    buf_string(&request, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 60; i++) {
        buf_printf(&request, "x%d: %01000d\r\n", i, i);
    }
    buf_string(&request, "\r\n");
    char *reply = ask(*state, request.data);
    assert_status(reply, "431");
    free(reply);
    buf_finish(&request);
}

static void test_deferred_reply(void **state)
{
    struct server *server = *state;
    int fd = dial(&server->served, "127.0.0.1");
    say(fd, "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    await_release(&server->served, "1 waited, 0 closed");
    char *reply = hear_all(fd);
    assert_status(reply, "200");
    assert_string_equal(body_of(reply), "released");
    free(reply);
    await_release(&server->served, "0 waited, 1 closed");
}

/* It may say that it has nothing more to send, before or after the request is taken up. */
static void test_deferred_reply_to_a_half_closed_client(void **state)
{
    struct server *server = *state;
    static const char *const requests[] = {
        "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi and more",
    };
    for (int i = 0; i < 3; i++) {
        char expected[64];
        int fd = dial(&server->served, "127.0.0.1");
        say(fd, requests[i]);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        let_it_look(&server->served);
        snprintf(expected, sizeof expected, "1 waited, %d closed", i);
        await_release(&server->served, expected);
        char *reply = hear_all(fd);
        assert_status(reply, "200");
        assert_string_equal(body_of(reply), "released");
        free(reply);
        snprintf(expected, sizeof expected, "0 waited, %d closed", i + 1);
        await_release(&server->served, expected);
    }
}

/* One who has left altogether looks the same until he is replied to. */
static void test_client_leaves_while_deferred(void **state)
{
    struct server *server = *state;
    int fd = dial(&server->served, "127.0.0.1");
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    close(fd);
    let_it_look(&server->served);
    await_release(&server->served, "1 waited, 0 closed");
    await_release(&server->served, "0 waited, 1 closed");
}

/* As long as the reply is owed nothing more is read; then it is, or what a client goes on to
 * send would cost it the reply. */
static void test_what_follows_a_deferred_request_is_drained(void **state)
{
    struct server *server = *state;
    int fd = dial(&server->served, "127.0.0.1");
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    await_release(&server->served, "1 waited, 0 closed");
    hear(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 80; i++) {
        assert_int_equal(send(fd, big, 50000, MSG_NOSIGNAL), 50000);
    }
    char *rest = hear_all(fd);
    assert_string_equal(body_of(rest), "released");
    free(rest);
}

static void test_notice_taken_back(void **state)
{
    expect(*state, "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n", "200", "quiet");
    await_release(*state, "0 waited, 0 closed");
}

static void test_event_stream(void **state)
{
    char *reply = ask(*state, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "200");
    assert_non_null(strstr(reply, "\r\nContent-Type: text/event-stream\r\n"));
    assert_null(strstr(reply, "Content-Length"));
    assert_string_equal(body_of(reply), "id: 7-0\nevent: output\ndata: one\ndata: two\n"
                                        "data: three\n\nevent: end\ndata: {}\n\n");
    free(reply);
}

static void hear_head(int fd)
{
    char last[4] = "";
    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        memmove(last, last + 1, 3);
        assert_int_equal(recv(fd, last + 3, 1, 0), 1);
    }
}

static void test_idle_stream_is_kept_alive(void **state)
{
    int fd = dial(*state, "127.0.0.1");
    say(fd, "GET /idle HTTP/1.1\r\nHost: a\r\n\r\n");
    hear_head(fd);
    hear(fd, "ticktick");
    close(fd);
}

/* Whoever leaves a stream is missed at once, not when there is something to tell. */
static void test_stream_notices_that_its_reader_leaves(void **state)
{
    struct server *server = *state;
    int fd = dial(&server->served, "127.0.0.1");
    say(fd, "GET /idle HTTP/1.1\r\nHost: a\r\n\r\n");
    hear_head(fd);
    shutdown(fd, SHUT_WR);
    await_release(&server->served, "0 waited, 1 closed");
    close(fd);
    fd = dial(&server->served, "127.0.0.1");
    say(fd, "GET /wait-stream HTTP/1.1\r\nHost: a\r\n\r\n");
    await_release(&server->served, "1 waited, 1 closed");
    hear_head(fd);
    shutdown(fd, SHUT_WR);
    await_release(&server->served, "0 waited, 2 closed");
    close(fd);
}

/* What is new to say all the time must not make up for what the reader does not take. */
static void test_stuck_reader_is_closed(void **state)
{
    (void)state;
    struct server *server = start((struct http_settings){.write_timeout_ms = 200});
    int small = 4096;
    int fd = dial(&server->served, "127.0.0.1");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(fd, "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n");
    await_release(&server->served, "0 waited, 1 closed");
    close(fd);
    stop(server);
}

static void test_largest_events(void **state)
{
    char *reply = ask(*state, "GET /largest HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *end = strstr(reply, "\n\nid: 2-0\nevent: end\ndata: b");
    assert_non_null(end);
    assert_int_equal(strspn(strchr(end, 'b'), "b"), LARGEST_EVENT);
    assert_string_equal(end + strlen("\n\nid: 2-0\nevent: end\ndata: ") + LARGEST_EVENT,
                        "\n\n");
    free(reply);
}

/* Without that event the end would be a lie: there is none, and no sham of an open stream. */
static void test_too_large_event_breaks_the_stream_off(void **state)
{
    struct server *server = *state;
    expect(&server->served, "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n", "200",
           "id: 1-0\nevent: output\ndata: small\n\n");
    await_release(&server->served, "0 waited, 1 closed");
}

/* The reader of a flood reads nothing: its connection ends, and what it held is free again. */
static void test_slow_reader_is_closed(void **state)
{
    struct server *server = *state;
    int small = 4096;
    int fd = dial(&server->served, "127.0.0.1");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(fd, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    await_release(&server->served, "0 waited, 1 closed");
    close(fd);
}

static void test_large_static_reply(void **state)
{
    int fd = dial(*state, "127.0.0.1");
    say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    char *reply = hear_all(fd);
    assert_int_equal(strlen(body_of(reply)), BIG);
    assert_int_equal(strspn(body_of(reply), "b"), BIG);
    free(reply);
}

/* `text`, an urgent byte, and some more. */
static void say_urgently(int fd, const char *text)
{
    say(fd, text);
    assert_int_equal(send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
    say(fd, "TP");
}

static long turns_of(const struct served *served)
{
    char *reply = ask_from(served, "127.0.0.4", "GET /turns HTTP/1.1\r\nHost: a\r\n\r\n");
    long turns = strtol(body_of(reply), NULL, 10);
    free(reply);
    return turns;
}

/* Neither a client that sends and does not read, nor one whose head stays unfinished, nor one
 * that marks a byte of its head as urgent, at which a look ends, keeps the loop spinning: while
 * another stream ticks five times, it turns for its timers only. */
static void test_nobody_keeps_the_loop_spinning(void **state)
{
    struct server *server = *state;
    int small = 4096;
    int unread = dial(&server->served, "127.0.0.1");
    setsockopt(unread, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(unread, "GET /big HTTP/1.1\r\nHost: a\r\n\r\nmore");
    int half_head = dial(&server->served, "127.0.0.3");
    say(half_head, "GET / HTTP/1.1\r\nHost:");
    int urgent = dial(&server->served, "127.0.0.5");
    say_urgently(urgent, "GET / HT");
    int ticker = dial(&server->served, "127.0.0.2");
    say(ticker, "GET /idle HTTP/1.1\r\nHost: a\r\n\r\n");
    hear_head(ticker);
    long before = turns_of(&server->served);
    hear(ticker, "tickticktickticktick");
    assert_true(turns_of(&server->served) - before < 100);
    close(unread);
    close(half_head);
    close(urgent);
    close(ticker);
}

/* A client may say that it has sent everything; with half a head there is nothing to wait for.
 */
static void test_client_shuts_its_writing_side(void **state)
{
    char byte;
    int fd = dial(*state, "127.0.0.1");
    say(fd, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    shutdown(fd, SHUT_WR);
    char *reply = hear_all(fd);
    assert_string_equal(body_of(reply), "POST|/p||127.0.0.1|0||hi");
    free(reply);
    fd = dial(*state, "127.0.0.1");
    say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    reply = hear_all(fd);
    assert_int_equal(strlen(body_of(reply)), BIG);
    free(reply);
    fd = dial(*state, "127.0.0.1");
    say(fd, "GET / HTTP/1.1\r\nHo");
    shutdown(fd, SHUT_WR);
    ssize_t got = recv(fd, &byte, 1, 0);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    close(fd);
}

/* Whether the server answers at all, now or soon. */
static bool answers(const struct served *served)
{
    static const char start[] = "HTTP/1.1 200 ";
    time_t deadline = time(NULL) + DEADLINE_S;
    bool good = false;
    while (!good && time(NULL) < deadline) {
        char bytes[sizeof start] = "";
        int fd = dial(served, "127.0.0.1");
        say(fd, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        good = recv(fd, bytes, sizeof start - 1, MSG_WAITALL) == sizeof start - 1 &&
               strcmp(bytes, start) == 0;
        close(fd);
    }
    return good;
}

static void test_connection_cap(void **state)
{
    struct server *server = *state;
    int held[CAP];
    for (int i = 0; i < CAP; i++) {
        held[i] = dial(&server->served, "127.0.0.1");
        say(held[i], "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    char *reply = ask(&server->served, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "503");
    assert_non_null(strstr(reply, "\r\nRetry-After: 1\r\n"));
    assert_non_null(strstr(reply, "\"code\":\"too_many_connections\""));
    free(reply);
    reply = ask_from(&server->served, "127.0.0.2", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "200");
    free(reply);
    for (int i = 0; i < CAP; i++) {
        close(held[i]);
    }
    reply = ask(&server->served, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(reply, "503"); /* who leaves holds his place until he is replied to */
    free(reply);
    await_release(&server->served, "0 waited, 6 closed");
    expect(&server->served, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "200",
           "GET|/a||127.0.0.1|0||");
}

/* Behind a trusted proxy the cap is each client's own, not the proxy's. */
static void test_connection_cap_behind_a_proxy(void **state)
{
    struct server *server = *state;
    int held[CAP];
    const char *wait = "GET /wait HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n";
    for (int i = 0; i < CAP; i++) {
        held[i] = dial(&server->served, "127.0.0.9");
        say(held[i], wait);
    }
    char *reply = ask_from(&server->served, "127.0.0.9", wait);
    assert_status(reply, "503");
    free(reply);
    reply = ask_from(&server->served, "127.0.0.9",
                     "GET /a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.2\r\n\r\n");
    assert_string_equal(body_of(reply), "GET|/a||198.51.100.2|0||");
    free(reply);
    for (int i = 0; i < CAP; i++) {
        close(held[i]);
    }
    await_release(&server->served, "0 waited, 6 closed");
    reply = ask_from(&server->served, "127.0.0.9",
                     "GET /a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n");
    assert_status(reply, "200");
    free(reply);
}

/* Standard error goes to a file of its own while a test looks at the log. */
struct captured {
    FILE *file;
    int old;
};

static struct captured capture_log(void)
{
    struct captured captured = {tmpfile(), dup(STDERR_FILENO)};
    assert_non_null(captured.file);
    assert_true(captured.old >= 0 && dup2(fileno(captured.file), STDERR_FILENO) >= 0);
    return captured;
}

static void end_capture(struct captured *captured)
{
    dup2(captured->old, STDERR_FILENO);
    close(captured->old);
    fclose(captured->file);
}

/* How many lines tell of that event so far, and the sum of the numbers that follow `key` in
 * them. The server goes on writing at the end, whose place it shares with us. */
static long count_lines(const struct captured *captured, const char *event, const char *key,
                        long *sum)
{
    static char text[65536];
    ssize_t got = pread(fileno(captured->file), text, sizeof text - 1, 0);
    long lines = 0;
    *sum = 0;
    text[got > 0 ? got : 0] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *found = strstr(line, event) != NULL ? strstr(line, key) : NULL;
        if (found != NULL) {
            lines++;
            *sum += strtol(found + strlen(key), NULL, 10);
        }
    }
    return lines;
}

/* The cap for all together holds however many addresses the callers have; those above it hear
 * of it or are closed, and the log does not grow with them. */
static void test_connection_cap_for_all(void **state)
{
    enum { ALL = 4, MORE = 60 };
    (void)state;
    struct server *server = start((struct http_settings){.connections_max = ALL});
    int held[ALL];
    int more[MORE];
    long told = 0;
    long reported;
    for (int i = 0; i < ALL; i++) {
        char from[32];
        snprintf(from, sizeof from, "127.0.1.%d", i + 1);
        held[i] = dial(&server->served, from);
        say(held[i], "GET /idle HTTP/1.1\r\nHost: a\r\n\r\n");
        hear_head(held[i]);
    }
    struct captured captured = capture_log();
    int64_t began_ms = clock_mono_ms();
    for (int i = 0; i < MORE; i++) {
        char from[32];
        snprintf(from, sizeof from, "127.0.2.%d", i + 1);
        more[i] = dial(&server->served, from);
    }
    for (int i = 0; i < MORE; i++) {
        char bytes[4096] = "";
        ssize_t got = recv(more[i], bytes, sizeof bytes - 1, 0);
        assert_true(got >= 0 || errno == ECONNRESET);
        if (got > 0) {
            assert_status(bytes, "503");
            assert_non_null(strstr(bytes, "\"code\":\"too_many_connections\""));
            told++;
        }
    }
    int64_t took_ms = clock_mono_ms() - began_ms;
    long lines = count_lines(&captured, "gate.full", "refused=", &reported);
    time_t deadline = time(NULL) + DEADLINE_S;
    while (reported < MORE && time(NULL) < deadline) {
        hear(held[0], "tick"); /* the server's time goes on */
        lines = count_lines(&captured, "gate.full", "refused=", &reported);
    }
    int64_t reported_ms = clock_mono_ms() - began_ms;
    end_capture(&captured);
    /* Sixteen at a time are told, for a second each; the others are closed. */
    assert_true(told >= 16 && told <= 16 * (took_ms / 1000 + 1));
    assert_int_equal(reported, MORE); /* all of them, in a line a second */
    assert_true(lines <= reported_ms / 1000 + 1);
    for (int i = 0; i < ALL; i++) {
        close(held[i]);
    }
    for (int i = 0; i < MORE; i++) {
        close(more[i]);
    }
    assert_true(answers(&server->served));
    stop(server);
}

/* By default the cap is what the system lets the process have, less what others need. */
static void test_descriptors_are_raised(void **state)
{
    (void)state;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_max < 16384 ? limit.rlim_max : 16384;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){256, limit.rlim_max});
    struct server *server = start((struct http_settings){0});
    getrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(limit.rlim_cur, most);
    stop(server);
}

/* A name that somebody else lets resolve to this machine does not make his page one of ours. */
static void test_loopback_is_not_a_foreign_name(void **state)
{
    static const struct {
        const char *host;
        bool own;
    } rows[] = {
        {"127.0.0.1", true},
        {"127.0.0.1:8080", true},
        {"localhost", true},
        {"LocalHost:8080", true},
        {"[::1]", true},
        {"[::1]:8080", true},
        {"192.0.2.1", true},
        {"a", false},
        {"rebound.example", false},
        {"rebound.example:80", false},
        {"localhost.example", false},
        {"xlocalhost", false},
        {"127.0.0.1.example", false},
        {"1270.0.1", false},
        {"[rebound]", false},
        {"[127.0.0.1]", false},
        {"[]", false},
        {"[::1", false},
        {"::1", false},
        {":80", false},
        {"127.0.0.1:80:80", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (origin_host_is_own(view_of(rows[i].host)) != rows[i].own) {
            fail_msg("%s", rows[i].host);
        }
    }
    expect(*state, "GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", "200",
           "GET|/a||127.0.0.1|1||");
    expect(*state, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", "200",
           "GET|/a||127.0.0.1|1||");
    expect(*state, "GET /a HTTP/1.1\r\nHost: rebound.example\r\n\r\n", "200",
           "GET|/a||127.0.0.1|0||");
}

static void test_forwarded_counts_from_a_proxy_only(void **state)
{
    char *reply =
        ask_from(*state, "127.0.0.8",
                 "GET /a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.2\r\n\r\n");
    assert_string_equal(body_of(reply), "GET|/a||127.0.0.8|0||");
    free(reply);
}

static void test_origins(void **state)
{
    char *reply = ask(*state, "POST /a HTTP/1.1\r\nHost: me:80\r\nOrigin: http://me\r\n\r\n");
    assert_status(reply, "200");
    assert_null(strstr(reply, "Access-Control-Allow-Origin"));
    free(reply);
    reply =
        ask(*state, "POST /a HTTP/1.1\r\nHost: me\r\nOrigin: https://friend.example\r\n\r\n");
    assert_status(reply, "200");
    assert_non_null(
        strstr(reply, "\r\nAccess-Control-Allow-Origin: https://friend.example\r\n"));
    assert_non_null(strstr(reply, "\r\nVary: Origin\r\n"));
    assert_non_null(strstr(reply, "\r\nAccess-Control-Expose-Headers: Location, Retry-After"));
    assert_null(strstr(reply, "Access-Control-Allow-Credentials"));
    free(reply);
    reply = ask(*state, "POST /a HTTP/1.1\r\nHost: me\r\n"
                        "Origin: https://trial-7.friend.example\r\n\r\n");
    assert_status(reply, "200");
    assert_non_null(
        strstr(reply, "\r\nAccess-Control-Allow-Origin: https://trial-7.friend.example\r\n"));
    free(reply);
    expect(*state, "POST /a HTTP/1.1\r\nHost: me\r\nOrigin: https://foe.example\r\n\r\n", "403",
           "{\"error\":{\"code\":\"origin_not_allowed\",\"message\":"
           "\"Pages of this origin may not call this server.\"}}");
    expect(*state, "POST /a HTTP/1.1\r\nHost: me\r\nOrigin: null\r\n\r\n", "403",
           "{\"error\":{\"code\":\"origin_not_allowed\",\"message\":"
           "\"Pages of this origin may not call this server.\"}}");
    reply = ask(*state, "GET /a HTTP/1.1\r\nHost: me\r\nOrigin: https://foe.example\r\n\r\n");
    assert_status(reply, "200");
    assert_null(strstr(reply, "Access-Control-Allow-Origin"));
    free(reply);
}

static void test_preflight(void **state)
{
    char *reply =
        ask(*state, "OPTIONS /a HTTP/1.1\r\nHost: me\r\nOrigin: https://friend.example"
                    "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
    assert_status(reply, "204");
    assert_non_null(strstr(reply, "\r\naccess-control-allow-methods: GET, POST\r\n"));
    assert_non_null(
        strstr(reply, "\r\naccess-control-allow-headers: Content-Type, Last-Event-ID\r\n"));
    assert_non_null(strstr(reply, "\r\naccess-control-max-age: 600\r\n"));
    assert_null(strstr(reply, "Content-Length"));
    free(reply);
    reply = ask(*state, "OPTIONS /a HTTP/1.1\r\nHost: me\r\nOrigin: https://foe.example\r\n"
                        "Access-Control-Request-Method: POST\r\n\r\n");
    assert_status(reply, "403");
    free(reply);
    expect(*state, "OPTIONS /a HTTP/1.1\r\nHost: me\r\n\r\n", "200",
           "OPTIONS|/a||127.0.0.1|0||");
}

/* Time for a request is short here, so the test waits for the server, not for a clock. */
static void test_slow_requests(void **state)
{
    (void)state;
    struct server *server = start((struct http_settings){.request_timeout_ms = 100});
    int silent = dial(&server->served, "127.0.0.1");
    int half_head = dial(&server->served, "127.0.0.1");
    int half_body = dial(&server->served, "127.0.0.1");
    int urgent = dial(&server->served, "127.0.0.1");
    say_urgently(urgent, "GET / HT");
    say(half_head, "GET / HTTP/1.1\r\nHost:");
    say(half_body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
    char *reply = hear_all(silent);
    assert_string_equal(reply, ""); /* browsers open connections in advance */
    free(reply);
    reply = hear_all(half_head);
    assert_status(reply, "408");
    free(reply);
    reply = hear_all(urgent);
    assert_status(reply, "408");
    free(reply);
    reply = hear_all(half_body);
    assert_status(reply, "408");
    assert_string_equal(body_of(reply), "{\"error\":{\"code\":\"request_timeout\",\"message\":"
                                        "\"The request did not arrive in time.\"}}");
    free(reply);
    stop(server);
}

/* Everything that can be open is open when the server stops. */
static void test_stop_with_open_connections(void **state)
{
    (void)state;
    struct server *server = start((struct http_settings){0});
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = dial(&server->served, "127.0.0.1");
    }
    say(fds[1], "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    say(fds[2], "GET /idle HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(fds[2], "HTTP/1.1 200 OK\r\n");
    say(fds[3], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1");
    stop(server);
    for (int i = 0; i < 4; i++) {
        close(fds[i]);
    }
}

/* With all descriptors spent a caller is turned away, and the server lives on. */
static void test_no_descriptors_left(void **state)
{
    struct server *server = *state;
    struct rlimit limit;
    struct timeval patience = {.tv_sec = DEADLINE_S};
    struct sockaddr_in address = {.sin_family = AF_INET};
    char byte;
    address.sin_port = htons((uint16_t)http_port(server->served.http));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    getrlimit(RLIMIT_NOFILE, &limit);
    int caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)caller + 1, limit.rlim_max});
    assert_int_equal(connect(caller, (struct sockaddr *)&address, sizeof address), 0);
    ssize_t got = recv(caller, &byte, 1, 0);
    assert_true(got == 0 ||
                (got < 0 && errno == ECONNRESET)); /* turned away, not left waiting */
    setrlimit(RLIMIT_NOFILE, &limit);
    close(caller);
    assert_true(answers(&server->served));
}

static void test_signals_are_left_alone(void **state)
{
    (void)state;
    struct sigaction action;
    assert_int_equal(sigaction(SIGTERM, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
    assert_int_equal(sigaction(SIGINT, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
}

static void test_bad_settings(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct err err;
    char *const wrong[] = {"nowhere", NULL};
    uv_loop_init(&loop);
    struct http_settings settings = {
        .loop = &loop, .host = "localhost", .body_max_bytes = 1, .connections_per_client = 1};
    assert_null(http_open(&settings, on_request, NULL, &err));
    assert_string_equal(err.code, "bad_address");
    settings.host = "192.0.2.1"; /* not ours */
    assert_null(http_open(&settings, on_request, NULL, &err));
    assert_string_equal(err.code, "cannot_listen");
    settings.host = "127.0.0.1";
    settings.trusted_proxies = wrong;
    assert_null(http_open(&settings, on_request, NULL, &err));
    assert_string_equal(err.code, "bad_address");
    assert_int_equal(uv_loop_close(&loop), 0);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    memset(big, 'b', sizeof big);
    const struct CMUnitTest tests[] = {
        SERVED(test_get),
        SERVED(test_every_reply_is_careful),
        SERVED(test_error_body),
        SERVED(test_head_gets_the_head_alone),
        SERVED(test_post_in_two_pieces),
        SERVED(test_body_of_the_largest_size_and_one_more),
        SERVED(test_too_large_body_is_answered_while_it_is_sent),
        SERVED(test_second_request_is_ignored),
        SERVED(test_expect_continue),
        SERVED(test_no_field_hides_another),
        SERVED(test_refusals_of_the_gate),
        SERVED(test_head_too_large),
        SERVED(test_deferred_reply),
        SERVED(test_deferred_reply_to_a_half_closed_client),
        SERVED(test_client_leaves_while_deferred),
        SERVED(test_what_follows_a_deferred_request_is_drained),
        SERVED(test_notice_taken_back),
        SERVED(test_event_stream),
        SERVED(test_idle_stream_is_kept_alive),
        SERVED(test_stream_notices_that_its_reader_leaves),
        SERVED(test_slow_reader_is_closed),
        SERVED(test_largest_events),
        SERVED(test_too_large_event_breaks_the_stream_off),
        SERVED(test_large_static_reply),
        SERVED(test_nobody_keeps_the_loop_spinning),
        SERVED(test_client_shuts_its_writing_side),
        SERVED(test_connection_cap),
        SERVED(test_connection_cap_behind_a_proxy),
        SERVED(test_forwarded_counts_from_a_proxy_only),
        SERVED(test_loopback_is_not_a_foreign_name),
        SERVED(test_origins),
        SERVED(test_preflight),
        SERVED(test_no_descriptors_left),
        SERVED(test_signals_are_left_alone),
        cmocka_unit_test(test_stuck_reader_is_closed),
        cmocka_unit_test(test_connection_cap_for_all),
        cmocka_unit_test(test_descriptors_are_raised),
        cmocka_unit_test(test_slow_requests),
        cmocka_unit_test(test_stop_with_open_connections),
        cmocka_unit_test(test_bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
