/* Hashes for tables whose keys a peer chooses: without the seed nobody can aim at one slot. */
#ifndef YC_HASH_H
#define YC_HASH_H

#include "yc.h"

/* SipHash-1-3 with a key made of the seed. */
uint64_t ycp_hash_bytes(uint64_t seed, struct yc_slice bytes);
static inline uint64_t ycp_hash_u64(uint64_t seed, uint64_t value)
{
    uint64_t hash = (value ^ seed) * ((seed << 17 | seed >> 47) | 1);
    hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#endif
