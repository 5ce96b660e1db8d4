/* The strict reader of WebSocket frames, as a table: rules of RFC 6455, one row each. Every row is read
 * in one piece, byte by byte, and cut in two at every byte: it must come to the same. */
#include "net/ws_frame.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_BYTES 70000

/* The mask is 00000000 unless said, so that payloads can be read. What comes of a row: "m" and a
 * payload in hex, "i" a ping, "o" a pong, "c" and the code of a close frame, "b" and the code to close
 * with. Nothing is read behind c and b. */
struct row {
    const char *bytes;
    const char *events;
};

#define M "00000000"

static const struct row rows[] = {
    /* 5.2: the frame */
    {"8280" M, "m"},
    {"8283" M "616263", "m616263"},
    {"8283"
     "01020304"
     "606060",
     "m616263"},
    {"8285"
     "ff00ff00"
     "9e629c649a",
     "m6162636465"},
    {"8201" M "61", "b1002"}, /* no mask */
    {"8200", "b1002"},
    {"c281" M "61", "b1002"}, /* reserved bits */
    {"a281" M "61", "b1002"},
    {"9281" M "61", "b1002"},
    {"f281" M "61", "b1002"},
    {"8380" M, "b1002"}, /* reserved opcodes */
    {"8480" M, "b1002"},
    {"8580" M, "b1002"},
    {"8680" M, "b1002"},
    {"8780" M, "b1002"},
    {"8b80" M, "b1002"},
    {"8c80" M, "b1002"},
    {"8d80" M, "b1002"},
    {"8e80" M, "b1002"},
    {"8f80" M, "b1002"},
    {"8180" M, "b1003"}, /* text */
    {"0181" M "61", "b1003"},
    {"82fe0003" M "616263", "b1002"}, /* a length in more bytes than it needs */
    {"82fe007d" M, "b1002"},
    {"82ff0000000000000003" M "616263", "b1002"},
    {"82ff000000000000ffff" M, "b1002"},
    {"82ff8000000000000000" M, "b1002"}, /* the first bit must be 0 */
    {"82ffffffffffffffffff" M, "b1002"},
    {"82ff0000000000011171" M, "b1009"}, /* more than the reader takes: 70,001 */
    {"82ff0000010000000000" M, "b1009"},
    {"82ff7fffffffffffffff" M, "b1009"},
    {"8281" M "618281" M "62", "m61 m62"},
    /* 5.4: fragments */
    {"0281" M "618081" M "62", "m6162"},
    {"0280" M "8080" M, "m"},
    {"0281" M "610081" M "620080" M "8081" M "63", "m616263"},
    {"0281" M "618981" M "788081" M "62", "i78 m6162"}, /* a control frame in between */
    {"0281" M "618a80" M "8081" M "62", "o m6162"},
    {"0281" M "618882" M "03e8", "c1000"},
    {"8080" M, "b1002"}, /* nothing to continue */
    {"0080" M, "b1002"},
    {"8281" M "618081" M "62", "m61 b1002"},
    {"0281" M "618281" M "62", "b1002"}, /* a message within a message */
    {"0281" M "618181" M "62", "b1002"},
    {"0281" M "610281" M "62", "b1002"},
    {"0281" M "6180ff0000000000011170" M, "b1009"}, /* too long together */
    /* 5.5: control frames */
    {"8980" M, "i"},
    {"8983" M "616263", "i616263"},
    {"8a80" M, "o"},
    {"8a83" M "616263", "o616263"},
    {"0980" M, "b1002"}, /* in fragments */
    {"0a80" M, "b1002"},
    {"0880" M, "b1002"},
    {"89fe007e" M, "b1002"}, /* more than 125 bytes */
    {"8aff0000000000010000" M, "b1002"},
    {"88fe007e" M, "b1002"},
    {"8900", "b1002"},
    /* 5.5.1 and 7.4: close */
    {"8880" M, "c1005"},
    {"8881" M "03", "b1002"}, /* half a code */
    {"8882" M "03e8", "c1000"},
    {"8882" M "03e9", "c1001"},
    {"8882" M "03ea", "c1002"},
    {"8882" M "03eb", "c1003"},
    {"8882" M "03ef", "c1007"},
    {"8882" M "03f3", "c1011"},
    {"8882" M "03f6", "c1014"},
    {"8882" M "0bb8", "c3000"},
    {"8882" M "1387", "c4999"},
    {"8882" M "0000", "b1002"},
    {"8882" M "03e7", "b1002"}, /* 999 */
    {"8882" M "03ec", "b1002"}, /* 1004 to 1006: never on the wire */
    {"8882" M "03ed", "b1002"},
    {"8882" M "03ee", "b1002"},
    {"8882" M "03f7", "b1002"}, /* 1015 */
    {"8882" M "044c", "b1002"},
    {"8882" M "07d0", "b1002"},
    {"8882" M "0bb7", "b1002"},
    {"8882" M "1388", "b1002"},
    {"8882" M "ffff", "b1002"},
    {"8885" M "03e8616263", "c1000"},
    {"8885" M "03e8e282ac", "c1000"},
    {"8883" M "03e8ff", "b1007"}, /* 8.1: the reason is UTF-8 */
    {"8884" M "03e8c080", "b1007"},
    {"8885" M "03e8eda080", "b1007"},
    {"8884" M "03e8e282", "b1007"},
    {"8882" M "03e88281" M "61", "c1000"}, /* nothing counts behind it */
};

#undef M

static size_t unhex(const char *hex, char *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (char)byte;
    }
    return len;
}

static void note_payload(const struct ws_reader *reader, char *out)
{
    for (size_t i = 0; i < reader->payload.len; i++) {
        sprintf(out + strlen(out), "%02x", (unsigned char)reader->payload.at[i]);
    }
}

/* False: nothing is read any more. */
static bool note(const struct ws_reader *reader, enum ws_event event, char *out)
{
    strcat(out, *out == '\0' || event == WS_MORE ? "" : " ");
    switch (event) {
    case WS_MESSAGE:
    case WS_PINGED:
    case WS_PONGED:
        strcat(out, event == WS_MESSAGE ? "m" : event == WS_PINGED ? "i" : "o");
        note_payload(reader, out);
        return true;
    case WS_CLOSED:
    case WS_BAD:
        sprintf(out + strlen(out), "%c%d", event == WS_CLOSED ? 'c' : 'b', (int)reader->code);
        return false;
    default:
        return true;
    }
}

/* Feeds the row in pieces: first `first` bytes, then `step` at a time. */
static void read_row(const struct row *row, size_t first, size_t step, char *out)
{
    char bytes[1024];
    size_t len = unhex(row->bytes, bytes);
    struct ws_reader reader;
    ws_reader_init(&reader, MAX_BYTES);
    *out = '\0';
    bool goes_on = true;
    for (size_t at = 0; at < len && goes_on;) {
        size_t piece = at == 0 && first > 0 ? first : step;
        piece = piece < len - at ? piece : len - at;
        char *here = mem_copy(bytes + at, piece); /* of its own, for the sanitizer to see */
        char *rest = here;
        size_t left = piece;
        enum ws_event event = WS_PONGED;
        while (event != WS_MORE && goes_on) {
            event = ws_read(&reader, &rest, &left);
            goes_on = note(&reader, event, out);
        }
        free(here);
        at += piece;
    }
    ws_reader_finish(&reader);
}

static void each_row_in_all_pieces(void **state)
{
    (void)state;
    char out[4096];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].bytes) / 2;
        for (size_t first = 0; first <= len; first++) {
            read_row(&rows[i], first, len, out);
            if (strcmp(out, rows[i].events) != 0) {
                fail_msg("%s cut at %zu: %s, not %s", rows[i].bytes, first, out,
                         rows[i].events);
            }
        }
        read_row(&rows[i], 0, 1, out);
        assert_string_equal(out, rows[i].events);
    }
}

/* Heads of ours are read by a reader that is told to expect a mask. */
static void lengths(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        size_t head_len;
    } cases[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}, {70000, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t head[WS_SERVER_HEAD_MAX];
        assert_int_equal(ws_format_head(head, WS_BINARY, cases[i].len), cases[i].head_len);
        assert_int_equal(head[0], 0x82);
        char *bytes = mem_alloc(cases[i].head_len + 4 + cases[i].len);
        memcpy(bytes, head, cases[i].head_len);
        bytes[1] = (char)(bytes[1] | 0x80);
        struct ws_reader reader;
        ws_reader_init(&reader, MAX_BYTES);
        char *rest = bytes;
        size_t left = cases[i].head_len + 4 + cases[i].len;
        assert_int_equal(ws_read(&reader, &rest, &left), WS_MESSAGE);
        assert_int_equal(reader.payload.len, cases[i].len);
        assert_int_equal(left, 0);
        ws_reader_finish(&reader);
        free(bytes);
    }
}

static void keys(void **state)
{
    (void)state;
    assert_true(ws_key_is_good(view_of("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_true(ws_key_is_good(view_of("AAAAAAAAAAAAAAAAAAAAAA==")));
    assert_true(ws_key_is_good(view_of("/////////////////////w==")));
    static const char *const bad[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZSE=",
        "dGhl!HNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ=A",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(ws_key_is_good(view_of(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_in_all_pieces),
        cmocka_unit_test(lengths),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
