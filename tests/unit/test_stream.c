/* The attach stream: its head and its pieces, cut at every byte. */
#include "run/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define HEAD                                                                                   \
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"             \
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

struct got {
    int opened;
    bool failed;
    char text[3][64]; /* by channel */
    size_t len[3];
};

static void feed_bytes(struct stream *stream, struct got *got, const char *bytes, size_t len)
{
    struct view input = {bytes, len};
    struct stream_piece piece;
    for (;;) {
        switch (stream_next(stream, &input, &piece)) {
        case STREAM_NEED_MORE:
            assert_int_equal(input.len, 0);
            return;
        case STREAM_OPEN:
            got->opened++;
            break;
        case STREAM_PIECE:
            assert_true(piece.bytes.len > 0);
            memcpy(got->text[piece.channel] + got->len[piece.channel], piece.bytes.at,
                   piece.bytes.len);
            got->len[piece.channel] += piece.bytes.len;
            break;
        case STREAM_FAILED:
            got->failed = true;
            return;
        }
    }
}

static struct got read_cut(const char *bytes, size_t len, size_t cut, int *status)
{
    struct got got = {0};
    struct stream stream;
    stream_init(&stream);
    feed_bytes(&stream, &got, bytes, cut);
    if (!got.failed) {
        feed_bytes(&stream, &got, bytes + cut, len - cut);
    }
    *status = stream_status(&stream);
    return got;
}

static void reads_pieces_at_every_cut(void **state)
{
    (void)state;
    static const char bytes[] = HEAD "\1\0\0\0\0\0\0\5hello"
                                     "\2\0\0\0\0\0\0\3err"
                                     "\1\0\0\0\0\0\0\0"
                                     "\0\0\0\0\0\0\0\2in"
                                     "\1\0\0\0\0\0\0\6 world";
    const size_t len = sizeof bytes - 1;
    for (size_t cut = 0; cut <= len; cut++) {
        int status;
        struct got got = read_cut(bytes, len, cut, &status);
        assert_false(got.failed);
        assert_int_equal(got.opened, 1);
        assert_int_equal(status, 101);
        assert_string_equal(got.text[STREAM_STDOUT], "hello world");
        assert_string_equal(got.text[STREAM_STDERR], "err");
        assert_string_equal(got.text[STREAM_STDIN], "in");
    }
}

static void reads_byte_by_byte(void **state)
{
    (void)state;
    static const char bytes[] = "HTTP/1.1 200 OK\r\n\r\n\1\0\0\0\0\0\0\3abc";
    struct got got = {0};
    struct stream stream;
    stream_init(&stream);
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        feed_bytes(&stream, &got, bytes + i, 1);
    }
    assert_false(got.failed);
    assert_int_equal(stream_status(&stream), 200);
    assert_string_equal(got.text[STREAM_STDOUT], "abc");
}

static void refuses_heads(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 404},
        {"HTTP/1.1 409 Conflict\r\n\r\n", 409},
        {"HTTP/1.1 101 UPGRADED\r\nContent-Length: 3\r\n\r\n", 101},
        {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\n: empty name\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\nA\n: b\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", 200},
        {"HTTP/1.0 200 OK\r\n\r\n", 0},
        {"HTTP/1.1 2000 OK\r\n\r\n", 0},
        {"HTTP/1.1 20\r\n\r\n", 0},
        {"HTTP/1.1 abc\r\n\r\n", 0},
        {"\r\n\r\n", 0},
        {"garbage\r\n\r\n", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].head);
        for (size_t cut = 0; cut <= len; cut++) {
            int status;
            struct got got = read_cut(rows[i].head, len, cut, &status);
            assert_true(got.failed);
            assert_int_equal(got.opened, 0);
            assert_int_equal(status, rows[i].status);
        }
    }
}

static void refuses_an_endless_head(void **state)
{
    (void)state;
    struct got got = {0};
    struct stream stream;
    stream_init(&stream);
    feed_bytes(&stream, &got, "HTTP/1.1 101 UPGRADED\r\n", 23);
    for (unsigned i = 0; i < STREAM_HEAD_MAX_BYTES - 23; i++) {
        feed_bytes(&stream, &got, "a", 1);
        assert_false(got.failed);
    }
    feed_bytes(&stream, &got, "a", 1);
    assert_true(got.failed);
}

static void refuses_pieces_and_stays_failed(void **state)
{
    (void)state;
    static const char rows[][9] = {
        "\3\0\0\0\0\0\0\1", /* no such channel */
        "\1\1\0\0\0\0\0\1", /* the three bytes are zero */
        "\1\0\0\1\0\0\0\1",
        "\1\0\0\0\0\x10\0\1", /* one byte more than the largest piece */
        "\1\0\0\0\xff\xff\xff\xff",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[sizeof HEAD + 8];
        memcpy(bytes, HEAD, sizeof HEAD - 1);
        memcpy(bytes + sizeof HEAD - 1, rows[i], 8);
        for (size_t cut = 0; cut <= sizeof HEAD + 7; cut++) {
            int status;
            assert_true(read_cut(bytes, sizeof HEAD + 7, cut, &status).failed);
        }
    }
    struct got got = {0};
    struct stream stream;
    stream_init(&stream);
    feed_bytes(&stream, &got, "x\r\n\r\n", 5);
    got.failed = false;
    feed_bytes(&stream, &got, HEAD, sizeof HEAD - 1);
    assert_true(got.failed);
    struct view nothing = {"", 0};
    struct stream_piece piece;
    assert_int_equal(stream_next(&stream, &nothing, &piece), STREAM_FAILED);
}

static void takes_the_largest_piece(void **state)
{
    (void)state;
    static char payload[65536];
    struct stream stream;
    struct stream_piece piece;
    size_t total = 0;
    stream_init(&stream);
    struct view input = {HEAD "\1\0\0\0\0\x10\0\0", sizeof HEAD - 1 + 8};
    assert_int_equal(stream_next(&stream, &input, &piece), STREAM_OPEN);
    assert_int_equal(stream_next(&stream, &input, &piece), STREAM_NEED_MORE);
    for (int i = 0; i < 16; i++) {
        input = (struct view){payload, sizeof payload};
        assert_int_equal(stream_next(&stream, &input, &piece), STREAM_PIECE);
        total += piece.bytes.len;
    }
    assert_int_equal(total, STREAM_PIECE_MAX_BYTES);
    input = (struct view){"\2\0\0\0\0\0\0\1e", 9};
    assert_int_equal(stream_next(&stream, &input, &piece), STREAM_PIECE);
    assert_int_equal(piece.channel, STREAM_STDERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pieces_at_every_cut),
        cmocka_unit_test(reads_byte_by_byte),
        cmocka_unit_test(refuses_heads),
        cmocka_unit_test(refuses_an_endless_head),
        cmocka_unit_test(refuses_pieces_and_stays_failed),
        cmocka_unit_test(takes_the_largest_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
