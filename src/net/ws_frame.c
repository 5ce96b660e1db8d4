/* See ws_frame.h. A message that lies in the given bytes as one whole frame, which is how nearly all
 * of them come, is handed out where it lies; others are gathered. */
#include "net/ws_frame.h"

#include "base/utf8.h"

#include <string.h>

#define FIN 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define LEN 0x7f
#define LEN_16 126
#define LEN_64 127

void ws_reader_init(struct ws_reader *reader, size_t max_bytes)
{
    *reader = (struct ws_reader){.max_bytes = max_bytes};
    buf_init(&reader->parts, max_bytes);
}

void ws_reader_finish(struct ws_reader *reader)
{
    buf_finish(&reader->parts);
}

static enum ws_event bad(struct ws_reader *reader, enum ws_code code, const char *problem)
{
    reader->code = code;
    reader->problem = problem;
    return WS_BAD;
}

/* --- heads ----------------------------------------------------------------------------------- */

static enum ws_opcode opcode_of(const struct ws_reader *reader)
{
    return reader->head[0] & OPCODE;
}

static bool is_control(const struct ws_reader *reader)
{
    return (opcode_of(reader) & 0x8) != 0;
}

/* Bytes that a head has in all, as far as its first two tell. */
static size_t head_wanted(const struct ws_reader *reader)
{
    if (reader->head_len < 2) {
        return 2;
    }
    size_t len = reader->head[1] & LEN;
    return 2 + (len == LEN_64 ? 8 : len == LEN_16 ? 2 : 0) + 4;
}

static const uint8_t *mask_of(const struct ws_reader *reader)
{
    return reader->head + reader->head_len - 4;
}

static uint64_t read_length(const struct ws_reader *reader)
{
    size_t len = reader->head[1] & LEN;
    if (len < LEN_16) {
        return len;
    }
    uint64_t value = 0;
    for (size_t i = 2; i < (len == LEN_16 ? 4 : 10); i++) {
        value = value << 8 | reader->head[i];
    }
    return value;
}

/* The first two bytes are here: whatever is wrong shows in them. */
static enum ws_event check_start(struct ws_reader *reader)
{
    bool fin = reader->head[0] & FIN;
    size_t len = reader->head[1] & LEN;
    enum ws_opcode opcode = opcode_of(reader);
    if (reader->head[0] & RESERVED) {
        return bad(reader, WS_PROTOCOL_ERROR, "reserved bits");
    }
    if (!(reader->head[1] & MASKED)) {
        return bad(reader, WS_PROTOCOL_ERROR, "frame without mask");
    }
    switch (opcode) {
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        return fin && len <= WS_CONTROL_MAX
                   ? WS_MORE
                   : bad(reader, WS_PROTOCOL_ERROR, "bad control frame");
    case WS_CONTINUATION:
        return reader->in_message ? WS_MORE
                                  : bad(reader, WS_PROTOCOL_ERROR, "nothing to continue");
    case WS_TEXT:
    case WS_BINARY:
        if (reader->in_message) {
            return bad(reader, WS_PROTOCOL_ERROR, "message within a message");
        }
        return opcode == WS_BINARY ? WS_MORE
                                   : bad(reader, WS_UNSUPPORTED, "binary messages only");
    default:
        return bad(reader, WS_PROTOCOL_ERROR, "unknown opcode");
    }
}

static enum ws_event check_length(struct ws_reader *reader)
{
    size_t form = reader->head[1] & LEN;
    uint64_t len = read_length(reader);
    if ((form == LEN_16 && len < LEN_16) || (form == LEN_64 && (len >> 16 == 0 || len >> 63))) {
        return bad(reader, WS_PROTOCOL_ERROR, "bad length");
    }
    if (!is_control(reader) && len > reader->max_bytes - reader->parts.len) {
        return bad(reader, WS_TOO_BIG, "message too big");
    }
    reader->in_payload = true;
    reader->missing = len;
    reader->masked = 0;
    reader->control_len = 0;
    return WS_MORE;
}

static enum ws_event read_head(struct ws_reader *reader, char **bytes, size_t *len)
{
    enum ws_event event = WS_MORE;
    while (event == WS_MORE && *len > 0 && reader->head_len < head_wanted(reader)) {
        reader->head[reader->head_len++] = (uint8_t) * *bytes;
        (*bytes)++;
        (*len)--;
        if (reader->head_len == 2) {
            event = check_start(reader);
        }
    }
    bool whole = reader->head_len >= 2 && reader->head_len == head_wanted(reader);
    return event == WS_MORE && whole ? check_length(reader) : event;
}

/* --- payloads -------------------------------------------------------------------------------- */

static void unmask(struct ws_reader *reader, char *bytes, size_t len)
{
    const uint8_t *mask = mask_of(reader);
    uint8_t turned[8];
    for (size_t i = 0; i < sizeof turned; i++) {
        turned[i] = mask[(reader->masked + i) % 4];
    }
    uint64_t wide;
    memcpy(&wide, turned, sizeof wide);
    size_t i = 0;
    for (; i + sizeof wide <= len; i += sizeof wide) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        word ^= wide;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < len; i++) {
        bytes[i] = (char)((uint8_t)bytes[i] ^ turned[i % 4]);
    }
    reader->masked += len;
}

static bool may_be_sent(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static enum ws_event end_close(struct ws_reader *reader)
{
    const uint8_t *payload = reader->control;
    size_t len = reader->control_len;
    if (len == 0) {
        reader->code = WS_NO_CODE;
        return WS_CLOSED;
    }
    unsigned code = len < 2 ? 0 : (unsigned)payload[0] << 8 | payload[1];
    if (!may_be_sent(code)) {
        return bad(reader, WS_PROTOCOL_ERROR, "bad close code");
    }
    if (!utf8_valid((const char *)payload + 2, len - 2)) {
        return bad(reader, WS_BAD_TEXT, "close reason is not UTF-8");
    }
    reader->code = (enum ws_code)code;
    return WS_CLOSED;
}

static enum ws_event end_control(struct ws_reader *reader)
{
    reader->payload = (struct view){(const char *)reader->control, reader->control_len};
    switch (opcode_of(reader)) {
    case WS_CLOSE:
        return end_close(reader);
    case WS_PING:
        return WS_PINGED;
    default:
        return WS_PONGED;
    }
}

/* The payload's last bytes have come, `piece` among them. */
static enum ws_event end_frame(struct ws_reader *reader, struct view piece)
{
    reader->in_payload = false;
    bool fin = reader->head[0] & FIN;
    reader->head_len = 0;
    if (is_control(reader)) {
        return end_control(reader);
    }
    reader->in_message = !fin;
    if (!fin) {
        buf_append(&reader->parts, piece.at, piece.len);
        return WS_MORE;
    }
    if (reader->parts.len == 0) {
        reader->payload = piece;
    } else {
        buf_append(&reader->parts, piece.at, piece.len);
        reader->payload = buf_view(&reader->parts);
    }
    return WS_MESSAGE;
}

static enum ws_event read_payload(struct ws_reader *reader, char **bytes, size_t *len)
{
    size_t here = *len < reader->missing ? *len : (size_t)reader->missing;
    struct view piece = {*bytes, here};
    unmask(reader, *bytes, here);
    *bytes += here;
    *len -= here;
    reader->missing -= here;
    if (is_control(reader)) {
        memcpy(reader->control + reader->control_len, piece.at, here);
        reader->control_len += (uint8_t)here;
    }
    if (reader->missing == 0) {
        return end_frame(reader, piece);
    }
    if (!is_control(reader)) {
        buf_append(&reader->parts, piece.at, here);
    }
    return WS_MORE;
}

enum ws_event ws_read(struct ws_reader *reader, char **bytes, size_t *len)
{
    enum ws_event event = WS_MORE;
    if (!reader->in_message && !reader->in_payload && reader->head_len == 0) {
        buf_finish(&reader->parts); /* of the last message: an idle reader holds nothing */
        buf_init(&reader->parts, reader->max_bytes);
    }
    while (event == WS_MORE && *len > 0) {
        event = reader->in_payload ? read_payload(reader, bytes, len)
                                   : read_head(reader, bytes, len);
        if (event == WS_MORE && reader->in_payload && reader->missing == 0) {
            event = end_frame(reader, (struct view){"", 0});
        }
    }
    return event;
}

/* --- ours ------------------------------------------------------------------------------------ */

size_t ws_format_head(uint8_t head[WS_SERVER_HEAD_MAX], enum ws_opcode opcode, size_t len)
{
    size_t width = len < LEN_16 ? 0 : len <= UINT16_MAX ? 2 : 8;
    head[0] = FIN | (uint8_t)opcode;
    head[1] = (uint8_t)(width == 0 ? len : width == 2 ? LEN_16 : LEN_64);
    for (size_t i = 0; i < width; i++) {
        head[2 + i] = (uint8_t)((uint64_t)len >> (8 * (width - 1 - i)));
    }
    return 2 + width;
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
}

bool ws_key_is_good(struct view key)
{
    if (key.len != 24 || key.at[22] != '=' || key.at[23] != '=') {
        return false;
    }
    for (size_t i = 0; i < 22; i++) {
        if (!is_base64(key.at[i])) {
            return false;
        }
    }
    return strchr("AQgw", key.at[21]) != NULL; /* the last four bits stand for nothing */
}
