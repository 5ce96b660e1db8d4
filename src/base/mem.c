/* See mem.h. Any thread. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return or_die(calloc(1, size > 0 ? size : 1));
}

void *mem_resize(void *memory, size_t size)
{
    return or_die(realloc(memory, size > 0 ? size : 1));
}

char *mem_copy(const char *bytes, size_t len)
{
    char *copy = or_die(malloc(len + 1));
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    copy[len] = '\0';
    return copy;
}

char *mem_string(const char *text)
{
    return text != NULL ? mem_copy(text, strlen(text)) : NULL;
}
