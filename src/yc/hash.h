/* Hashes for tables whose keys a peer chooses: without the seed nobody can aim at one slot. */
#ifndef YC_HASH_H
#define YC_HASH_H

#include "yc.h"

/* SipHash-1-3 with a key made of the seed. */
uint64_t ycp_hash_bytes(uint64_t seed, struct yc_slice bytes);
uint64_t ycp_hash_u64(uint64_t seed, uint64_t value);

#endif
