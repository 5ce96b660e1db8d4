/* The strict reader of request heads, as a table: rules of RFC 9112 and 9110, one row each.
 * Every row is also cut at every byte: a beginning of a good head is unfinished, never good or
 * bad; a beginning of a bad one is never good. */
#include "net/head.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* status 0: good, and `more` says what must have been read: "method path query minor length".
 */
struct row {
    const char *head;
    int status;
    const char *read;
};

#define H "\r\nHost: a\r\n"
#define GET "GET / HTTP/1.1" H
#define POST "POST / HTTP/1.1" H

static const struct row rows[] = {
    /* 9112 3: the request line */
    {GET "\r\n", 0, "GET /  1 0"},
    {"GET /a/b.c?d=e&f HTTP/1.1" H "\r\n", 0, "GET /a/b.c d=e&f 1 0"},
    {"GET /? HTTP/1.1" H "\r\n", 0, "GET /  1 0"},
    {"GET /a?b?c HTTP/1.1" H "\r\n", 0, "GET /a b?c 1 0"},
    {"GET /%00%2e%2e/ HTTP/1.1" H "\r\n", 0, "GET /%00%2e%2e/  1 0"},
    {"M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1" H "\r\n", 0, "M-SEARCH!#$%&'*+.^_`|~ /  1 0"},
    {"get / HTTP/1.1" H "\r\n", 0, "get /  1 0"},
    {" GET / HTTP/1.1" H "\r\n", 400, NULL},
    {"GET  / HTTP/1.1" H "\r\n", 400, NULL},
    {"GET /  HTTP/1.1" H "\r\n", 400, NULL},
    {"GET\t/ HTTP/1.1" H "\r\n", 400, NULL},
    {"GET /\tHTTP/1.1" H "\r\n", 400, NULL},
    {"GET / HTTP/1.1 " H "\r\n", 400, NULL},
    {"GET / x HTTP/1.1" H "\r\n", 400, NULL},
    {"GET /" H "\r\n", 400, NULL},
    {"GET" H "\r\n", 400, NULL},
    {"G@T / HTTP/1.1" H "\r\n", 400, NULL},
    {"G\xc3\xa9T / HTTP/1.1" H "\r\n", 400, NULL},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1" H "\r\n", 501, NULL},
    {"GET /\xc3\xa9 HTTP/1.1" H "\r\n", 400, NULL},
    {"GET /a#b HTTP/1.1" H "\r\n", 400, NULL},
    {"GET a HTTP/1.1" H "\r\n", 400, NULL},
    {"GET http://a/ HTTP/1.1" H "\r\n", 400, NULL},
    {"OPTIONS * HTTP/1.1" H "\r\n", 400, NULL},
    {"CONNECT a:80 HTTP/1.1" H "\r\n", 400, NULL},
    /* 9112 2.2: one empty line before it is ignored */
    {"\r\n" GET "\r\n", 0, "GET /  1 0"},
    {"\r\n\r\n" GET "\r\n", 400, NULL},
    {"\n" GET "\r\n", 400, NULL},
    /* 9112 2.3: versions */
    {"GET / HTTP/1.0\r\n\r\n", 0, "GET /  0 0"},
    {"GET / HTTP/1.0" H "\r\n", 0, "GET /  0 0"},
    {"GET / HTTP/1.2" H "\r\n", 505, NULL},
    {"GET / HTTP/2.0" H "\r\n", 505, NULL},
    {"GET / HTTP/0.9" H "\r\n", 505, NULL},
    {"GET / HTTP/1" H "\r\n", 400, NULL},
    {"GET / HTTP/1.10" H "\r\n", 400, NULL},
    {"GET / HTTP/11.1" H "\r\n", 400, NULL},
    {"GET / http/1.1" H "\r\n", 400, NULL},
    {"GET / HTTPS/1.1" H "\r\n", 400, NULL},
    {"GET / HTTP/+.1" H "\r\n", 400, NULL},
    {"PRI * HTTP/2.0\r\n\r\n", 400, NULL},
    /* 9112 2.2: line ends and control characters */
    {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400, NULL},
    {GET "X: y\n\r\n", 400, NULL},
    {GET "\n", 400, NULL},
    {GET "X: a\rb\r\n\r\n", 400, NULL},
    {GET "X: a\r\r\n\r\n", 400, NULL},
    {GET "X: a\x01\r\n\r\n", 400, NULL},
    {GET "X: a\x7f\r\n\r\n", 400, NULL},
    {GET "X: a\x1b[0m\r\n\r\n", 400, NULL},
    {"GET /\x08 HTTP/1.1" H "\r\n", 400, NULL},
    /* 9112 5: fields */
    {GET "X: a\tb  c\r\n\r\n", 0, "GET /  1 0"},
    {GET "X:\r\n\r\n", 0, "GET /  1 0"},
    {GET "X: caf\xc3\xa9\r\n\r\n", 0, "GET /  1 0"},
    {GET "X:a:b\r\n\r\n", 0, "GET /  1 0"},
    {GET "!#$%&'*+-.^_`|~9: a\r\n\r\n", 0, "GET /  1 0"},
    {GET "X : a\r\n\r\n", 400, NULL},
    {GET "X\t: a\r\n\r\n", 400, NULL},
    {GET ": a\r\n\r\n", 400, NULL},
    {GET "X\r\n\r\n", 400, NULL},
    {GET "X y: a\r\n\r\n", 400, NULL},
    {GET "X(y): a\r\n\r\n", 400, NULL},
    {GET "X\xc3\xa9: a\r\n\r\n", 400, NULL},
    {GET "X: a\r\n b\r\n\r\n", 400, NULL},
    {GET "X: a\r\n\tb\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, NULL},
    {GET " \r\n\r\n", 400, NULL},
    /* 9112 3.2: Host */
    {"GET / HTTP/1.1\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nHost: b\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: \t a.b-c_1:8080 \t\r\n\r\n", 0, "GET /  1 0"},
    {"GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:80\r\n\r\n", 0, "GET /  1 0"},
    {"GET / HTTP/1.1\r\nHost:a\r\n\r\n", 0, "GET /  1 0"},
    /* 9112 6: how long the body is */
    {POST "Content-Length: 5\r\n\r\n", 0, "POST /  1 5"},
    {POST "content-LENGTH:5\r\n\r\n", 0, "POST /  1 5"},
    {POST "Content-Length: 0005\r\n\r\n", 0, "POST /  1 5"},
    {POST "Content-Length: 999999999999999999\r\n\r\n", 0, "POST /  1 999999999999999999"},
    {GET "Content-Length: 3\r\n\r\n", 0, "GET /  1 3"},
    {POST "\r\n", 0, "POST /  1 0"},
    {POST "Content-Length:\r\n\r\n", 400, NULL},
    {POST "Content-Length: -1\r\n\r\n", 400, NULL},
    {POST "Content-Length: +5\r\n\r\n", 400, NULL},
    {POST "Content-Length: 0x5\r\n\r\n", 400, NULL},
    {POST "Content-Length: 5 5\r\n\r\n", 400, NULL},
    {POST "Content-Length: 5, 5\r\n\r\n", 400, NULL},
    {POST "Content-Length: 5.0\r\n\r\n", 400, NULL},
    {POST "Content-Length: 18446744073709551621\r\n\r\n", 400, NULL},
    {POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, NULL},
    {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, NULL},
    {POST "Transfer-Encoding: chunked\r\n\r\n", 411, NULL},
    {POST "Transfer-Encoding: Chunked\r\n\r\n", 411, NULL},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, NULL},
    {POST "Transfer-Encoding: xchunked\r\n\r\n", 501, NULL},
    {POST "Transfer-Encoding:\r\n\r\n", 501, NULL},
    {POST "Transfer-Encoding: identity\r\n\r\n", 501, NULL},
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, NULL},
    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, NULL},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, NULL},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, NULL},
    {POST "Transfer-Encoding : chunked\r\n\r\n", 400, NULL},
    {POST "X: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400, NULL},
    /* 9110: fields that say one thing, and Expect */
    {POST "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 400, NULL},
    {GET "Origin: http://a\r\nOrigin: http://a\r\n\r\n", 400, NULL},
    {GET "Last-Event-ID: 1\r\nlast-event-id: 1\r\n\r\n", 400, NULL},
    {GET "Accept: a\r\nAccept: b\r\n\r\n", 0, "GET /  1 0"},
    {POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 0, "POST /  1 1"},
    {POST "Expect: 200-ok\r\n\r\n", 417, NULL},
    /* what libwebsockets 4.1.6 takes for the beginning of a field it knows */
    {POST "X-A: 1\r\nContent-Length: 5\r\n\r\n", 0, "POST /  1 5"},
    {POST "Con: 1\r\nContent-Length: 5\r\n\r\n", 0, "POST /  1 5"},
    {POST "Con: 1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, NULL},
    /* other protocols */
    {"\x16\x03\x01\x02", 400, NULL},
    {"SSH-2.0-x\r\n\r\n", 400, NULL},
};

static void check_row(const struct row *row)
{
    static struct head head;
    char read[256] = "bad";
    size_t len = strlen(row->head);
    enum head_status status = head_parse(row->head, len, &head);
    if (status == HEAD_OK) {
        snprintf(read, sizeof read, "%.*s %.*s %.*s %d %llu", (int)head.method.len,
                 head.method.at, (int)head.path.len, head.path.at, (int)head.query.len,
                 head.query.at, head.minor, (unsigned long long)head.content_length);
    }
    int got = status == HEAD_OK ? 0 : status == HEAD_MORE ? -1 : head.refusal.status;
    if (got != row->status || strcmp(read, row->read != NULL ? row->read : "bad") != 0) {
        fail_msg("%s gave %d \"%s\"", row->head, got, read);
    }
    for (size_t cut = 0; cut < len; cut++) {
        enum head_status part = head_parse(row->head, cut, &head);
        assert_true(row->status == 0 ? part == HEAD_MORE : part != HEAD_OK);
    }
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

static void test_nul_is_refused_everywhere(void **state)
{
    (void)state;
    static const char good[] = GET "Content-Length: 1\r\n\r\n";
    static struct head head;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        char bytes[sizeof good];
        memcpy(bytes, good, sizeof good);
        bytes[at] = '\0';
        assert_int_equal(head_parse(bytes, sizeof good - 1, &head), HEAD_BAD);
        assert_int_equal(head.refusal.status, 400);
    }
}

static void test_bytes_behind_the_head_do_not_matter(void **state)
{
    (void)state;
    static const char bytes[] = GET "\r\n\0\n\r\x01GET";
    static struct head head;
    assert_int_equal(head_parse(bytes, sizeof bytes - 1, &head), HEAD_OK);
    assert_int_equal(head.len, strlen(GET "\r\n"));
}

static void test_fields_are_found(void **state)
{
    (void)state;
    static const char bytes[] = GET "A: 1\r\na: 2\r\nB: \t x y \t\r\n\r\n";
    static struct head head;
    assert_int_equal(head_parse(bytes, sizeof bytes - 1, &head), HEAD_OK);
    assert_int_equal(head.field_count, 4);
    assert_true(view_equals(head_value(&head, "a"), "1"));
    assert_true(view_equals(head_value(&head, "b"), "x y"));
    assert_true(view_equals(head_value(&head, "c"), ""));
    assert_null(head_find(&head, "c"));
}

static void test_expectation(void **state)
{
    (void)state;
    static const char new[] = POST "Expect: 100-continue\r\n\r\n";
    static const char old[] = "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n";
    static struct head head;
    assert_int_equal(head_parse(new, sizeof new - 1, &head), HEAD_OK);
    assert_true(head.expects_continue);
    assert_int_equal(head_parse(old, sizeof old - 1, &head), HEAD_OK);
    assert_false(head.expects_continue);
}

/* A head with a path of `path` bytes, `fields` short fields besides Host, and one of `filler`.
 */
static char *make(size_t path, size_t fields, size_t filler, size_t *len)
{
    struct buf out;
    buf_init(&out, 100000);
    buf_string(&out, "GET /");
    for (size_t i = 1; i < path; i++) {
        buf_string(&out, "a");
    }
    buf_string(&out, " HTTP/1.1" H);
    for (size_t i = 0; i < fields; i++) {
        buf_string(&out, "x: y\r\n");
    }
    buf_string(&out, "f:");
    for (size_t i = 0; i < filler; i++) {
        buf_string(&out, "z");
    }
    buf_string(&out, "\r\n\r\n");
    *len = out.len;
    return out.data;
}

static int outcome(size_t path, size_t fields, size_t filler)
{
    static struct head head;
    size_t len;
    char *bytes = make(path, fields, filler, &len);
    enum head_status status = head_parse(bytes, len, &head);
    free(bytes);
    return status == HEAD_OK ? 200 : status == HEAD_MORE ? 0 : head.refusal.status;
}

static void test_limits_are_exact(void **state)
{
    (void)state;
    size_t empty;
    free(make(1, 0, 0, &empty));
    assert_int_equal(outcome(HEAD_MAX_TARGET, 0, 0), 200);
    assert_int_equal(outcome(HEAD_MAX_TARGET + 1, 0, 0), 414);
    assert_int_equal(outcome(60000, 0, 0), 414);
    assert_int_equal(outcome(1, HEAD_MAX_FIELDS - 2, 0), 200);
    assert_int_equal(outcome(1, HEAD_MAX_FIELDS - 1, 0), 431);
    assert_int_equal(outcome(1, 0, HEAD_MAX_BYTES - empty), 200);
    assert_int_equal(outcome(1, 0, HEAD_MAX_BYTES - empty + 1), 431);
    assert_int_equal(outcome(1, 0, 60000), 431);
}

/* A head that never ends is refused as soon as it can be no good one any more. */
static void test_endless_heads(void **state)
{
    (void)state;
    static char bytes[HEAD_MAX_BYTES];
    static struct head head;
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(head_parse(bytes, 2080, &head), HEAD_MORE);
    assert_int_equal(head_parse(bytes, sizeof bytes, &head), HEAD_BAD);
    assert_int_equal(head.refusal.status, 414);
    memcpy(bytes, GET, strlen(GET));
    assert_int_equal(head_parse(bytes, sizeof bytes - 1, &head), HEAD_MORE);
    assert_int_equal(head_parse(bytes, sizeof bytes, &head), HEAD_BAD);
    assert_int_equal(head.refusal.status, 431);
}

static void test_growing_scan(void **state)
{
    (void)state;
    static const char bytes[] = POST "Content-Length: 1\r\n\r\nx";
    struct head_scan scan = {0};
    struct head_refusal refusal;
    size_t len = strlen(bytes) - 1;
    for (size_t have = 0; have < len; have++) {
        assert_int_equal(head_scan(&scan, bytes, have, &refusal), HEAD_MORE);
        assert_true(scan.at + 1 >= have); /* nothing is looked at again but a lone CR */
    }
    assert_int_equal(head_scan(&scan, bytes, len, &refusal), HEAD_OK);
    assert_int_equal(scan.at, len);
}

static void test_same_origin(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *host;
        bool same;
    } pairs[] = {
        {"http://a", "a", true},
        {"https://a", "a", true},
        {"http://A.b:8080", "a.B:8080", true},
        {"http://a:80", "a", true},
        {"http://a", "a:80", true},
        {"https://a", "a:443", true},
        {"http://[::1]:8080", "[::1]:8080", true},
        {"http://a", "a:443", false},
        {"https://a", "a:80", false},
        {"http://a:8080", "a", false},
        {"http://a", "a:8080", false},
        {"http://b", "a", false},
        {"http://a.evil", "a", false},
        {"http://evil-a", "a", false},
        {"null", "a", false},
        {"http://", "", false},
        {"ftp://a", "a", false},
        {"a", "a", false},
        {"http://a/", "a", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (origin_is_same(pairs[i].origin, view_of(pairs[i].host)) != pairs[i].same) {
            fail_msg("%s and %s", pairs[i].origin, pairs[i].host);
        }
    }
}

static void test_allowed_origin(void **state)
{
    (void)state;
    char *const allowed[] = {"https://a", "https://b:8443", NULL};
    assert_true(origin_is_allowed("https://b:8443", allowed));
    assert_false(origin_is_allowed("https://b", allowed));
    assert_false(origin_is_allowed("https://A", allowed));
    assert_false(origin_is_allowed("null", allowed));
    assert_false(origin_is_allowed("https://a", NULL));
}

static void test_allowed_pattern(void **state)
{
    (void)state;
    char *const allowed[] = {"https://a", "https://vve-*-ada.vercel.app",
                             "https://test*.b.c:8443", NULL};
    static const char *const good[] = {
        "https://vve-1-ada.vercel.app",
        "https://vve-git-main-ada-ada.vercel.app",
        "https://vve---ada.vercel.app",
        "https://testing.b.c:8443",
        "https://a",
    };
    static const char *const bad[] = {
        "https://vve--ada.vercel.app",
        "https://vve-ada.vercel.app",
        "https://vve-x.evil.org/-ada.vercel.app",
        "https://vve-x.evil-ada.vercel.app",
        "https://vve-x_y-ada.vercel.app",
        "https://vve-X-ada.vercel.app",
        "https://vve-x@-ada.vercel.app",
        "https://vve-x:1-ada.vercel.app",
        "https://vve-*-ada.vercel.app",
        "https://vve-\xc3\xa4-ada.vercel.app",
        "https://vve-x-ada.vercel.app.evil.org",
        "https://vve-x-ada.vercel.app:443",
        "https://evil.org/vve-x-ada.vercel.app",
        "https://xvve-x-ada.vercel.app",
        "http://vve-x-ada.vercel.app",
        "https://testing.b.c",
        "https://test.b.c:8443",
        "https://ab",
        "",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!origin_is_allowed(good[i], allowed)) {
            fail_msg("%s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (origin_is_allowed(bad[i], allowed)) {
            fail_msg("%s", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_nul_is_refused_everywhere),
        cmocka_unit_test(test_bytes_behind_the_head_do_not_matter),
        cmocka_unit_test(test_fields_are_found),
        cmocka_unit_test(test_expectation),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_endless_heads),
        cmocka_unit_test(test_growing_scan),
        cmocka_unit_test(test_same_origin),
        cmocka_unit_test(test_allowed_origin),
        cmocka_unit_test(test_allowed_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
