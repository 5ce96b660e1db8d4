/* Why: a document must be able to say how much it holds and to refuse more, whatever allocator it
 * was given; so no other file of it calls that allocator. Bounded by heap.limit, which covers the
 * exact sizes asked for and not what an allocator adds to them. */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

static void *libc_resize(void *ctx, void *ptr, size_t old_size, size_t size)
{
    (void)ctx;
    (void)old_size;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

const struct yc_allocator ycp_libc_allocator = {libc_resize, NULL};

void *ycp_resize(struct heap *heap, void *ptr, size_t old_size, size_t size)
{
    size_t rest = heap->used - old_size;
    if (size > old_size && (rest > heap->limit || size > heap->limit - rest)) {
        heap->over = true;
        return NULL;
    }
    if (ptr == NULL && size == 0) {
        return NULL;
    }
    void *moved = heap->allocator.resize(heap->allocator.ctx, ptr, old_size, size);
    if (moved == NULL && size > 0) {
        heap->over = false;
        return NULL;
    }
    heap->used = rest + size;
    return moved;
}

void *ycp_alloc(struct heap *heap, size_t size)
{
    void *object = ycp_resize(heap, NULL, 0, size);
    if (object != NULL) {
        memset(object, 0, size);
    }
    return object;
}

void ycp_free(struct heap *heap, void *ptr, size_t size)
{
    if (ptr != NULL) {
        (void)ycp_resize(heap, ptr, size, 0);
    }
}

enum yc_status ycp_refusal(const struct heap *heap)
{
    return heap->over ? YC_LIMIT : YC_MEMORY;
}

bool ycp_grow(struct heap *heap, void *array_ptr, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap) {
        return true;
    }
    size_t most = SIZE_MAX / size;
    if (count > most) {
        heap->over = true;
        return false;
    }
    size_t doubled = *cap > most / 2 ? most : *cap * 2;
    size_t new_cap = count > doubled ? count : doubled;
    /* The array's own type is the caller's; a pointer is copied as bytes so that none is assumed. */
    void *array;
    memcpy(&array, array_ptr, sizeof array);
    array = ycp_resize(heap, array, *cap * size, new_cap * size);
    if (array == NULL) {
        return false;
    }
    memcpy(array_ptr, &array, sizeof array);
    *cap = new_cap;
    return true;
}
