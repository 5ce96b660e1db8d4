/* See id.h. Any thread. getrandom() of a few bytes never blocks once the system is up and never
 * returns short, so a failure means a broken system and stops the program. */
#include "base/id.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void random_bytes(void *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len) {
        fputs("the kernel gave no random bytes\n", stderr);
        abort();
    }
}

void id_uuid(char out[ID_UUID_LEN + 1])
{
    uint8_t b[16];
    random_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, ID_UUID_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

bool id_is_uuid(const char *text)
{
    if (strlen(text) != ID_UUID_LEN) {
        return false;
    }
    for (int i = 0; i < ID_UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (dash ? text[i] != '-' : !hex) {
            return false;
        }
    }
    return text[14] == '4' && strchr("89ab", text[19]) != NULL;
}

void id_nonce(char out[17])
{
    uint64_t bits;
    random_bytes(&bits, sizeof bits);
    snprintf(out, 17, "%016llx", (unsigned long long)bits);
}

unsigned id_below(unsigned bound)
{
    uint32_t bits;
    random_bytes(&bits, sizeof bits);
    return bits % bound;
}
