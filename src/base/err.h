/* Why something failed: a code for programs (a constant such as "code_too_large") and one
 * sentence for people. The caller owns it; functions that can fail take it last, and it may be
 * NULL where nobody cares. */
#ifndef VVE_BASE_ERR_H
#define VVE_BASE_ERR_H

#include <stdbool.h>

struct err {
    const char *code; /* static string, never freed */
    char text[240];   /* valid UTF-8; cut if longer */
};

/* Fills `err` (if any) and returns false, so that `return err_set(...)` reads as one step. */
bool err_set(struct err *err, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
