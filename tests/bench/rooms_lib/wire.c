#include "wire.h"

#include <string.h>

#define ROOT_NAME "monaco"
#define MASKED 0x80

enum { CONTENT_GC = 0, CONTENT_STRING = 4, CONTENT_SKIP = 10 };
enum { HAS_ORIGIN = 0x80, HAS_RIGHT_ORIGIN = 0x40, HAS_KEY = 0x20, CONTENT = 0x1f };

/* --- lib0 ------------------------------------------------------------------------------------ */

static uint8_t read_byte(struct reader *reader)
{
    if (reader->at == reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->at++;
}

uint64_t read_uint(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (reader->at == reader->end) {
            break;
        }
        const uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 127U) << shift;
        if (byte < 128) {
            return value;
        }
    }
    reader->bad = true;
    reader->at = reader->end;
    return 0;
}

const uint8_t *read_bytes(struct reader *reader, size_t *len)
{
    const uint64_t claimed = read_uint(reader);
    if (claimed > (size_t)(reader->end - reader->at)) {
        reader->bad = true;
        reader->at = reader->end;
        *len = 0;
        return reader->at;
    }
    const uint8_t *bytes = reader->at;
    reader->at += claimed;
    *len = claimed;
    return bytes;
}

uint8_t *write_uint(uint8_t *out, uint64_t value)
{
    while (value > 127) {
        *out++ = (uint8_t)(128U | (value & 127U));
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

uint8_t *write_bytes(uint8_t *out, const void *bytes, size_t len)
{
    out = write_uint(out, len);
    memcpy(out, bytes, len);
    return out + len;
}

/* --- updates --------------------------------------------------------------------------------- */

size_t update_append(uint8_t *out, uint64_t client, uint64_t clock)
{
    const char letter = (char)('a' + clock % 26);
    uint8_t *at = write_uint(out, 1);
    at = write_uint(at, 1);
    at = write_uint(at, client);
    at = write_uint(at, clock);
    if (clock == 0) {
        *at++ = CONTENT_STRING;
        *at++ = 1;
        at = write_bytes(at, ROOT_NAME, strlen(ROOT_NAME));
    } else {
        *at++ = CONTENT_STRING | HAS_ORIGIN;
        at = write_uint(at, client);
        at = write_uint(at, clock - 1);
    }
    at = write_bytes(at, &letter, 1);
    *at++ = 0;
    return (size_t)(at - out);
}

static void skip_id(struct reader *reader)
{
    read_uint(reader);
    read_uint(reader);
}

/* The count of clocks that an item's text takes; it is in ASCII. */
static uint64_t read_item(struct reader *reader, unsigned info)
{
    size_t len;
    if ((info & HAS_ORIGIN) != 0) {
        skip_id(reader);
    }
    if ((info & HAS_RIGHT_ORIGIN) != 0) {
        skip_id(reader);
    }
    if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) == 0) {
        if (read_uint(reader) == 1) {
            read_bytes(reader, &len);
        } else {
            skip_id(reader);
        }
        if ((info & HAS_KEY) != 0) {
            read_bytes(reader, &len);
        }
    }
    if ((info & CONTENT) != CONTENT_STRING) {
        reader->bad = true;
        return 0;
    }
    read_bytes(reader, &len);
    return len;
}

bool update_read(const uint8_t *bytes, size_t len, update_heard *heard, void *context)
{
    struct reader reader = {.at = bytes, .end = bytes + len};
    for (uint64_t blocks = read_uint(&reader); blocks > 0 && !reader.bad; blocks--) {
        uint64_t structs = read_uint(&reader);
        const uint64_t client = read_uint(&reader);
        uint64_t clock = read_uint(&reader);
        for (; structs > 0 && !reader.bad; structs--) {
            const unsigned info = read_byte(&reader);
            if (info == CONTENT_SKIP) {
                clock += read_uint(&reader);
                continue;
            }
            const uint64_t count =
                info == CONTENT_GC ? read_uint(&reader) : read_item(&reader, info);
            if (!reader.bad) {
                heard(context, client, clock, count);
            }
            clock += count;
        }
    }
    return !reader.bad;
}

/* --- frames ---------------------------------------------------------------------------------- */

static uint8_t *header(uint8_t *out, uint8_t opcode, size_t len, unsigned masked)
{
    *out++ = (uint8_t)(0x80U | opcode);
    unsigned sized = 0;
    if (len < 126) {
        *out++ = (uint8_t)(masked | len);
    } else if (len < 65536) {
        *out++ = (uint8_t)(masked | 126U);
        sized = 2;
    } else {
        *out++ = (uint8_t)(masked | 127U);
        sized = 8;
    }
    while (sized > 0) {
        sized -= 1;
        *out++ = (uint8_t)((uint64_t)len >> (8 * sized));
    }
    return out;
}

uint8_t *frame_header(uint8_t *out, uint8_t opcode, size_t len)
{
    return header(out, opcode, len, 0);
}

uint8_t *frame_masked(uint8_t *out, uint8_t opcode, const uint8_t *payload, size_t len)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    out = header(out, opcode, len, MASKED);
    memcpy(out, mask, sizeof mask);
    out += sizeof mask;
    for (size_t i = 0; i < len; i++) {
        out[i] = payload[i] ^ mask[i % 4];
    }
    return out + len;
}

size_t frame_read(const uint8_t *bytes, size_t len, struct frame *frame)
{
    if (len < 2) {
        return 0;
    }
    size_t head = 2;
    uint64_t payload = bytes[1] & 127U;
    if (payload > 125) {
        const size_t sized = payload == 126 ? 2 : 8;
        head += sized;
        if (len < head) {
            return 0;
        }
        payload = 0;
        for (size_t i = 2; i < head; i++) {
            payload = payload << 8 | bytes[i];
        }
    }
    if (len - head < payload) {
        return 0;
    }
    *frame = (struct frame){
        .payload = bytes + head,
        .len = payload,
        .opcode = bytes[0] & 15U,
        .last = (bytes[0] & 0x80U) != 0,
    };
    return head + payload;
}
