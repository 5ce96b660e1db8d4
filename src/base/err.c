/* See err.h. Pure; any thread. */
#include "base/err.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Texts of libraries, and our own cut, may end within a character: the text ends before it. */
static void end_within_utf8(char *text)
{
    size_t len = strlen(text);
    size_t at = 0;
    while (at < len && utf8_next(text + at, len - at) > 0) {
        at += (size_t)utf8_next(text + at, len - at);
    }
    text[at] = '\0';
}

bool err_set(struct err *err, const char *code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        end_within_utf8(err->text);
        err->code = code;
    }
    return false;
}
