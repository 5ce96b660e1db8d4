/* Heap memory that cannot fail: the daemon stops when memory ends, so no caller carries a
 * branch for it. Memory from here is freed with free(). */
#ifndef VVE_BASE_MEM_H
#define VVE_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size); /* zeroed */
void *mem_resize(void *memory, size_t size);
char *mem_copy(const char *bytes, size_t len); /* adds a NUL behind the copy */
char *mem_string(const char *text);            /* NULL gives NULL */

#endif
