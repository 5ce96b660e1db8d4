/* See head.h. RFC 9112 and 9110, with what they leave to the server decided strictly. */
#include "net/head.h"

#include <strings.h>

/* The longest request line that may be good: method, target, version and two spaces. */
#define MAX_REQUEST_LINE (HEAD_MAX_METHOD + 1 + HEAD_MAX_TARGET + 1 + 8)

static enum head_status refuse(struct head_refusal *refusal, int status, const char *problem)
{
    *refusal = (struct head_refusal){status, problem};
    return HEAD_BAD;
}

/* --- the scan: line ends, control characters and lengths --- */

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* A line ends at scan->at. HEAD_MORE: go on with the next one. */
static enum head_status end_line(struct head_scan *scan, struct head_refusal *refusal)
{
    bool empty = scan->at == scan->line;
    scan->at += 2;
    scan->line = scan->at;
    if (empty && scan->lines > 0) {
        return HEAD_OK;
    }
    if (empty && scan->skipped_empty_line) {
        return refuse(refusal, 400, "There is no request line.");
    }
    if (empty) {
        scan->skipped_empty_line = true; /* RFC 9112 2.2 asks to ignore one */
        return HEAD_MORE;
    }
    scan->lines++;
    if (scan->lines > 1 + HEAD_MAX_FIELDS) {
        return refuse(refusal, 431, "There are more than 100 header fields.");
    }
    return HEAD_MORE;
}

/* Looks at the byte at scan->at. */
static enum head_status scan_byte(struct head_scan *scan, const char *bytes, size_t len,
                                  struct head_refusal *refusal)
{
    unsigned char c = (unsigned char)bytes[scan->at];
    if (c == '\r') {
        if (scan->at + 1 == len) {
            return HEAD_MORE;
        }
        if (bytes[scan->at + 1] != '\n') {
            return refuse(refusal, 400, "A carriage return stands alone.");
        }
        return end_line(scan, refusal);
    }
    if (is_control(c)) {
        return refuse(refusal, 400,
                      c == '\n' ? "A line ends without a carriage return."
                                : "The head has a control character in it.");
    }
    scan->at++;
    if (scan->lines == 0 && scan->at - scan->line > MAX_REQUEST_LINE) {
        return refuse(refusal, 414, "The request line is too long.");
    }
    return HEAD_MORE;
}

enum head_status head_scan(struct head_scan *scan, const char *bytes, size_t len,
                           struct head_refusal *refusal)
{
    size_t limit = len < HEAD_MAX_BYTES ? len : HEAD_MAX_BYTES;
    while (scan->at < limit) {
        size_t before = scan->at;
        enum head_status status = scan_byte(scan, bytes, limit, refusal);
        if (status != HEAD_MORE) {
            return status;
        }
        if (scan->at == before) {
            break; /* a carriage return waits for its line feed */
        }
    }
    return limit == HEAD_MAX_BYTES ? refuse(refusal, 431, "The head is larger than 16 KB.")
                                   : HEAD_MORE;
}

/* --- the request line --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (!is_alnum(v.at[i]) && (v.at[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", v.at[i]))) {
            return false;
        }
    }
    return v.len > 0;
}

/* The part of `rest` before the first `end`, which is taken off `rest` with it. */
static bool cut(struct view *rest, char end, struct view *part)
{
    const char *at = rest->len > 0 ? memchr(rest->at, end, rest->len) : NULL;
    if (at == NULL) {
        return false;
    }
    *part = (struct view){rest->at, (size_t)(at - rest->at)};
    *rest = (struct view){at + 1, rest->len - part->len - 1};
    return true;
}

/* Origin form only: this is no proxy. */
static enum head_status parse_target(struct view target, struct head *head)
{
    if (target.len > HEAD_MAX_TARGET) {
        return refuse(&head->refusal, 414, "The path is longer than 2,048 bytes.");
    }
    if (target.len == 0 || target.at[0] != '/') {
        return refuse(&head->refusal, 400, "The request target must be a path.");
    }
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.at[i];
        if (c <= ' ' || c >= 0x7f || c == '#') {
            return refuse(&head->refusal, 400,
                          "The path has a character that it may not have.");
        }
    }
    head->query = target;
    if (!cut(&head->query, '?', &head->path)) {
        head->path = target;
        head->query = (struct view){target.at + target.len, 0};
    }
    return HEAD_OK;
}

static enum head_status parse_version(struct view version, struct head *head)
{
    if (version.len != 8 || !view_starts(version, "HTTP/") || !is_digit(version.at[5]) ||
        version.at[6] != '.' || !is_digit(version.at[7])) {
        return refuse(&head->refusal, 400, "The request line is not that of HTTP.");
    }
    head->minor = version.at[7] - '0';
    if (version.at[5] != '1' || head->minor > 1) {
        return refuse(&head->refusal, 505, "This server speaks HTTP/1.1.");
    }
    return HEAD_OK;
}

static enum head_status parse_request_line(struct view line, struct head *head)
{
    struct view target;
    if (!cut(&line, ' ', &head->method) || !is_token(head->method)) {
        return refuse(&head->refusal, 400, "The request line is not that of HTTP.");
    }
    if (head->method.len > HEAD_MAX_METHOD) {
        return refuse(&head->refusal, 501, "There is no such method.");
    }
    if (!cut(&line, ' ', &target)) {
        return refuse(&head->refusal, 400, "The request line has no version.");
    }
    enum head_status status = parse_target(target, head);
    return status == HEAD_OK ? parse_version(line, head) : status;
}

/* --- the fields --- */

static struct view trim(struct view v)
{
    while (v.len > 0 && (v.at[0] == ' ' || v.at[0] == '\t')) {
        v.at++;
        v.len--;
    }
    while (v.len > 0 && (v.at[v.len - 1] == ' ' || v.at[v.len - 1] == '\t')) {
        v.len--;
    }
    return v;
}

static enum head_status parse_field(struct view line, struct head *head)
{
    struct head_field field;
    if (line.at[0] == ' ' || line.at[0] == '\t') {
        return refuse(&head->refusal, 400, "A header field is folded over two lines.");
    }
    field.value = line;
    if (!cut(&field.value, ':', &field.name)) {
        return refuse(&head->refusal, 400, "A header line has no colon.");
    }
    if (!is_token(field.name)) {
        return refuse(&head->refusal, 400, "A header field has a name that is no name.");
    }
    field.value = trim(field.value);
    head->fields[head->field_count++] = field;
    return HEAD_OK;
}

/* The head is complete and its lines are clean: takes it apart. */
static enum head_status parse_lines(struct view rest, struct head *head)
{
    struct view line;
    enum head_status status = HEAD_OK;
    bool first = true;
    while (status == HEAD_OK && cut(&rest, '\r', &line)) {
        rest = (struct view){rest.at + 1, rest.len - 1};
        if (line.len > 0) {
            status = first ? parse_request_line(line, head) : parse_field(line, head);
            first = false;
        }
    }
    return status;
}

bool head_same(struct view value, const char *text)
{
    return value.len == strlen(text) && strncasecmp(value.at, text, value.len) == 0;
}

const struct head_field *head_find(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (head_same(head->fields[i].name, name)) {
            return &head->fields[i];
        }
    }
    return NULL;
}

struct view head_value(const struct head *head, const char *name)
{
    const struct head_field *field = head_find(head, name);
    return field != NULL ? field->value : (struct view){"", 0};
}

bool head_lists(struct view list, const char *word)
{
    struct view part;
    while (cut(&list, ',', &part)) {
        if (head_same(trim(part), word)) {
            return true;
        }
    }
    return head_same(trim(list), word);
}

/* --- what the fields mean together --- */

/* Fields that say one thing. Two of them would let two readers pick one each. */
static const char *const singletons[] = {
    "host",
    "content-length",
    "transfer-encoding",
    "content-type",
    "expect",
    "origin",
    "last-event-id",
    "upgrade",
    "authorization",
    "sec-websocket-key",
    "sec-websocket-version",
};

static bool repeats_a_singleton(const struct head *head)
{
    for (size_t i = 0; i < sizeof singletons / sizeof singletons[0]; i++) {
        const struct head_field *first = head_find(head, singletons[i]);
        const struct head_field *end = head->fields + head->field_count;
        for (const struct head_field *f = first; first != NULL && ++f < end;) {
            if (head_same(f->name, singletons[i])) {
                return true;
            }
        }
    }
    return false;
}

/* "name", "name:port", "1.2.3.4:port" or "[address]:port". */
static bool is_host(struct view host)
{
    size_t i = 0;
    bool bracket = host.len > 0 && host.at[0] == '[';
    if (bracket) {
        for (i = 1; i < host.len && host.at[i] != ']'; i++) {
            if (!is_alnum(host.at[i]) && host.at[i] != ':' && host.at[i] != '.') {
                return false;
            }
        }
        if (i == 1 || i == host.len) {
            return false;
        }
        i++;
    } else {
        while (i < host.len && (is_alnum(host.at[i]) || strchr("-._~", host.at[i]) != NULL)) {
            i++;
        }
    }
    if (i == 0 || (i < host.len && host.at[i] != ':')) {
        return false;
    }
    for (i++; i < host.len; i++) {
        if (!is_digit(host.at[i])) {
            return false;
        }
    }
    return true;
}

static bool parse_length(struct view digits, uint64_t *length)
{
    if (digits.len == 0 || digits.len > 18) { /* 18 digits fit into 64 bits */
        return false;
    }
    *length = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (!is_digit(digits.at[i])) {
            return false;
        }
        *length = *length * 10 + (uint64_t)(digits.at[i] - '0');
    }
    return true;
}

/* We take no transfer coding at all. Alone and well meant, `chunked` is told what we want (411,
 * RFC 9112 6.3) and a coding that nobody knows is told so (501, 6.1); beside a length, or from
 * HTTP/1.0, it is how requests are smuggled. */
static enum head_status check_framing(struct head *head)
{
    const struct head_field *length = head_find(head, "content-length");
    const struct head_field *coding = head_find(head, "transfer-encoding");
    if (coding != NULL && (length != NULL || head->minor == 0)) {
        return refuse(&head->refusal, 400, "The request has two ways to tell its length.");
    }
    if (coding != NULL) {
        return head_same(coding->value, "chunked")
                   ? refuse(&head->refusal, 411, "Send the body with a Content-Length.")
                   : refuse(&head->refusal, 501, "There is no such transfer coding here.");
    }
    if (length != NULL && !parse_length(length->value, &head->content_length)) {
        return refuse(&head->refusal, 400, "Content-Length is not a number.");
    }
    return HEAD_OK;
}

static enum head_status check_fields(struct head *head)
{
    if (repeats_a_singleton(head)) {
        return refuse(&head->refusal, 400, "A header field that may stand once stands twice.");
    }
    const struct head_field *host = head_find(head, "host");
    if (host == NULL ? head->minor > 0 : !is_host(host->value)) {
        return refuse(&head->refusal, 400, "The request does not name its host.");
    }
    enum head_status status = check_framing(head);
    if (status != HEAD_OK) {
        return status;
    }
    const struct head_field *expect = head_find(head, "expect");
    if (expect != NULL && !head_same(expect->value, "100-continue")) {
        return refuse(&head->refusal, 417, "This server cannot do what Expect asks.");
    }
    head->expects_continue = expect != NULL && head->minor > 0;
    return HEAD_OK;
}

enum head_status head_parse(const char *bytes, size_t len, struct head *head)
{
    struct head_scan scan = {0};
    head->len = 0;
    head->field_count = 0;
    head->content_length = 0;
    head->refusal = (struct head_refusal){0, ""};
    enum head_status status = head_scan(&scan, bytes, len, &head->refusal);
    if (status == HEAD_OK) {
        head->len = scan.at;
        status = parse_lines((struct view){bytes, scan.at}, head);
    }
    return status == HEAD_OK ? check_fields(head) : status;
}
