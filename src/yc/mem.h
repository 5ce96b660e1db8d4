/* The memory of one document: every byte goes through its allocator and is counted against its
 * limit. */
#ifndef YC_MEM_H
#define YC_MEM_H

#include "yc.h"

struct heap {
    struct yc_allocator allocator;
    size_t used;  /* bytes held now */
    size_t limit; /* most bytes to hold */
    bool over;    /* the last refusal came from the limit, not from the allocator */
};

/* The C library's realloc and free as an allocator. */
extern const struct yc_allocator ycp_libc_allocator;

/* As yc_allocator.resize, with the account. NULL when refused (size > 0). */
void *ycp_resize(struct heap *heap, void *ptr, size_t old_size, size_t size);
/* A zeroed object. */
void *ycp_alloc(struct heap *heap, size_t size);
void ycp_free(struct heap *heap, void *ptr, size_t size);
/* What the last NULL means: YC_LIMIT or YC_MEMORY. */
enum yc_status ycp_refusal(const struct heap *heap);

/* Makes room for at least count elements of size bytes in a growing array; *cap is in elements and
 * at least doubles. False when refused; the array is then as it was. */
bool ycp_grow(struct heap *heap, void *array_ptr, size_t *cap, size_t count, size_t size);

#endif
