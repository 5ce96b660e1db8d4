/* What went wrong, in words; and what this is. */
#include "yc.h"

const char *yc_status_text(enum yc_status status)
{
    switch (status) {
    case YC_OK:
        return "all is well";
    case YC_MEMORY:
        return "there is not enough memory";
    case YC_MALFORMED:
        return "the bytes are malformed";
    case YC_LIMIT:
        return "a limit would be passed";
    case YC_UTF8:
        return "the text is not UTF-8";
    case YC_JSON:
        return "the value is not JSON";
    case YC_RANGE:
        return "the position lies beyond the end";
    case YC_KIND:
        return "the type is of another kind";
    case YC_BUSY:
        return "a transaction is open";
    }
    return "unknown status";
}

const char *yc_version(void)
{
    return YC_VERSION;
}
