/* GET /api/openapi.json: the document beside this file, built into the program. */
#include "api/reply.h"
#include "api/routes.h"

__asm__(".section .rodata\n"
        ".global openapi_begin\n.global openapi_end\n"
        "openapi_begin:\n.incbin \"" VVE_OPENAPI "\"\nopenapi_end:\n.byte 0\n.previous\n");
extern const char openapi_begin[];
extern const char openapi_end[];

void openapi_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    (void)api;
    (void)job_id;
    struct view document = {openapi_begin, (size_t)(openapi_end - openapi_begin)};
    http_reply(exchange, 200, JSON_TYPE, document, HTTP_STATIC_BODY,
               &(struct http_header){"cache-control", "no-cache"}, 1);
}
