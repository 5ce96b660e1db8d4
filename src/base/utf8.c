/* See utf8.h. Pure; any thread. Also part of the supervisor inside the container. */
#include "base/utf8.h"

struct lead {
    int len;           /* of the whole character; 0: no character begins so */
    unsigned char low; /* bounds of the second byte; the others are 80..bf */
    unsigned char high;
};

static struct lead lead_of(unsigned char byte)
{
    if (byte >= 0xc2 && byte <= 0xdf) {
        return (struct lead){2, 0x80, 0xbf};
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        return (struct lead){3, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        return (struct lead){4, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
    }
    return (struct lead){0, 0, 0};
}

int utf8_next(const char *bytes, size_t len)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80) {
        return 1;
    }
    struct lead lead = lead_of(b[0]);
    if (lead.len == 0) {
        return -1;
    }
    for (int i = 1; i < lead.len; i++) {
        if ((size_t)i == len) {
            return 0;
        }
        unsigned char low = i == 1 ? lead.low : 0x80;
        unsigned char high = i == 1 ? lead.high : 0xbf;
        if (b[i] < low || b[i] > high) {
            return -i;
        }
    }
    return lead.len;
}

bool utf8_valid(const char *bytes, size_t len)
{
    while (len > 0) {
        int step = utf8_next(bytes, len);
        if (step <= 0) {
            return false;
        }
        bytes += step;
        len -= (size_t)step;
    }
    return true;
}
