/* The HTTP head from a stranger, and the X-Forwarded-For lines in it. Beside memory errors it
 * looks for a head that has two readings: it must be read the same twice, in pieces, and with
 * other bytes behind it, and no beginning of a good head may be anything but unfinished. */
#include "net/client.h"
#include "net/head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool inside(struct view v, const char *bytes, size_t len)
{
    return v.at >= bytes && v.at + v.len <= bytes + len;
}

static void check_views(const struct head *head, const char *bytes)
{
    require(inside(head->method, bytes, head->len) && inside(head->path, bytes, head->len));
    require(inside(head->query, bytes, head->len) && head->path.len > 0);
    for (size_t i = 0; i < head->field_count; i++) {
        const struct head_field *field = &head->fields[i];
        require(inside(field->name, bytes, head->len) &&
                inside(field->value, bytes, head->len));
        require(memchr(field->value.at, '\r', field->value.len) == NULL);
        require(memchr(field->value.at, '\n', field->value.len) == NULL);
    }
    require(head_find(head, "transfer-encoding") == NULL);
}

static void check_beginnings(const char *bytes, size_t head_len)
{
    static struct head part;
    size_t step = head_len > 600 ? head_len / 300 : 1;
    for (size_t cut = 0; cut < head_len; cut += step) {
        require(head_parse(bytes, cut, &part) == HEAD_MORE);
    }
    require(head_parse(bytes, head_len - 1, &part) == HEAD_MORE);
}

/* Looks at the bytes in growing pieces, as the gate does. */
static enum head_status scan_in_pieces(const char *bytes, size_t len)
{
    struct head_scan scan = {0};
    struct head_refusal refusal;
    enum head_status status = HEAD_MORE;
    for (size_t cut = 0; cut <= len && status == HEAD_MORE; cut += 1 + cut / 7) {
        status = head_scan(&scan, bytes, cut, &refusal);
    }
    return status == HEAD_MORE ? head_scan(&scan, bytes, len, &refusal) : status;
}

static void check_client(const struct head *head)
{
    static char *const trusted[] = {"10.0.0.1", "::1", NULL};
    struct view lines[HEAD_MAX_FIELDS];
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        if (head_same(head->fields[i].name, "x-forwarded-for")) {
            lines[count++] = head->fields[i].value;
        }
    }
    struct client_address peer;
    struct client client;
    require(client_address_parse(view_of("::1"), &peer));
    client_name(&peer, lines, count, false, trusted, &client);
    require(strlen(client.name) > 0 && strlen(client.name) < CLIENT_NAME_CAP);
    require(count == 0 || !client.loopback);
    require(client_address_parse(view_of("192.0.2.1"), &peer));
    client_name(&peer, lines, count, false, trusted, &client);
    require(strcmp(client.name, "192.0.2.1") == 0 && !client.loopback);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct head head;
    static struct head again;
    const char *bytes = (const char *)data;
    enum head_status status = head_parse(bytes, size, &head);
    require(head_parse(bytes, size, &again) == status);
    enum head_status scanned = scan_in_pieces(bytes, size);
    require(scanned == status || (scanned == HEAD_OK && status == HEAD_BAD));
    if (status == HEAD_BAD) {
        require(head.refusal.status >= 400 && head.refusal.status == again.refusal.status);
        require(strlen(head.refusal.problem) > 0);
    }
    if (status == HEAD_OK) {
        require(head.len <= size && head.len <= HEAD_MAX_BYTES);
        check_views(&head, bytes);
        check_beginnings(bytes, head.len);
        require(head_parse(bytes, head.len, &again) == HEAD_OK && again.len == head.len);
        require(again.content_length == head.content_length);
        check_client(&head);
    }
    return 0;
}
