/* A small hash (FNV-1a, 64 bits) that spreads and names things; it guards nothing. */
#ifndef VVE_BASE_HASH_H
#define VVE_BASE_HASH_H

#include "base/view.h"

#include <stdint.h>

static inline uint64_t hash_of(struct view bytes)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ (unsigned char)bytes.at[i]) * 1099511628211u;
    }
    return hash;
}

#endif
