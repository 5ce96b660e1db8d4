/* See hash.h. SipHash is by Aumasson and Bernstein ("SipHash: a fast short-input PRF", 2012). */
#include "hash.h"

#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate(sip->v2, 32);
}

static void sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

static uint64_t little_endian(const uint8_t *bytes, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

uint64_t ycp_hash_bytes(uint64_t seed, struct yc_slice bytes)
{
    uint64_t second = rotate(seed, 32) * UINT64_C(0x9e3779b97f4a7c15);
    struct sip sip = {
        seed ^ UINT64_C(0x736f6d6570736575), second ^ UINT64_C(0x646f72616e646f6d),
        seed ^ UINT64_C(0x6c7967656e657261), second ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        sip_word(&sip, little_endian(bytes.data + at, 8));
    }
    uint64_t rest = bytes.len > at ? little_endian(bytes.data + at, bytes.len - at) : 0;
    sip_word(&sip, rest | (uint64_t)bytes.len << 56);
    sip.v2 ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(&sip);
    }
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
