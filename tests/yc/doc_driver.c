/* A document of the engine behind a pipe, for tests in other languages. A command is a length
 * (4 bytes, little-endian), a letter and its argument; each is answered by a length, a status byte
 * and the result:
 *   n  forget the document, begin another      v  state vector
 *   u  apply an update; effective update       d  delete set
 *   s  state that a state vector lacks         h  hash, 8 bytes little-endian
 *   t  text of the root "t"                    e  state vector of an update
 *   m  merge of updates                        f  what a state vector (first) lacks of an update
 * The last two take several byte strings, each with its length in front (4 bytes). It ends at the end of its input. */
#include "yc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct yc_doc *doc;

static void fail(const char *why)
{
    fprintf(stderr, "doc_driver: %s\n", why);
    exit(1);
}

static void reply(enum yc_status status, struct yc_slice result)
{
    size_t len = result.len + 1;
    uint8_t head[5] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
                       (uint8_t)(len >> 24), (uint8_t)status};
    if (fwrite(head, 1, sizeof head, stdout) != sizeof head ||
        (result.len > 0 && fwrite(result.data, 1, result.len, stdout) != result.len)) {
        fail("the reply could not be written");
    }
}

static void begin(void)
{
    yc_doc_destroy(doc);
    doc = yc_doc_create(NULL);
    if (doc == NULL) {
        fail("no memory");
    }
}

static void reply_hash(void)
{
    uint64_t hash = yc_hash(doc);
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(hash >> (8 * i));
    }
    reply(YC_OK, (struct yc_slice){bytes, sizeof bytes});
}

static size_t get_u32(const uint8_t *bytes)
{
    return (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 |
           (size_t)bytes[3] << 24;
}

/* The byte strings of an argument; their number. */
static size_t split(struct yc_slice argument, struct yc_slice *parts, size_t cap)
{
    size_t count = 0;
    for (size_t at = 0; at < argument.len; count++) {
        size_t len = argument.len - at < 4 ? SIZE_MAX : get_u32(argument.data + at);
        if (count == cap || len > argument.len - at - 4) {
            fail("the parts of a command do not add up");
        }
        parts[count] = (struct yc_slice){argument.data + at + 4, len};
        at += 4 + len;
    }
    return count;
}

static enum yc_status merge(struct yc_slice argument, struct yc_buf *out)
{
    struct yc_slice parts[256];
    size_t count = split(argument, parts, sizeof parts / sizeof parts[0]);
    return yc_merge_updates(parts, count, out);
}

static enum yc_status diff(struct yc_slice argument, struct yc_buf *out)
{
    struct yc_slice parts[2];
    if (split(argument, parts, 2) != 2) {
        fail("a difference takes a state vector and an update");
    }
    return yc_diff_update(parts[1], parts[0], out);
}

static enum yc_status text(struct yc_buf *out)
{
    struct yc_type *root;
    enum yc_status status = yc_root(doc, "t", 1, &root);
    return status == YC_OK ? yc_text(root, out) : status;
}

static void execute(uint8_t command, struct yc_slice argument, struct yc_buf *out)
{
    struct yc_slice result = {NULL, 0};
    enum yc_status status = YC_OK;
    switch (command) {
    case 'n':
        begin();
        break;
    case 'u':
        status = yc_apply(doc, argument, &result);
        break;
    case 's':
        status = yc_encode_state(doc, argument, out);
        result = yc_buf_slice(out);
        break;
    case 'v':
        status = yc_encode_state_vector(doc, out);
        result = yc_buf_slice(out);
        break;
    case 'd':
        status = yc_encode_delete_set(doc, out);
        result = yc_buf_slice(out);
        break;
    case 't':
        status = text(out);
        result = yc_buf_slice(out);
        break;
    case 'e':
        status = yc_state_vector_of_update(argument, out);
        result = yc_buf_slice(out);
        break;
    case 'm':
        status = merge(argument, out);
        result = yc_buf_slice(out);
        break;
    case 'f':
        status = diff(argument, out);
        result = yc_buf_slice(out);
        break;
    case 'h':
        reply_hash();
        return;
    default:
        fail("unknown command");
    }
    reply(status, result);
}

/* The length of the next command; 0 at the end of the input. */
static size_t read_length(void)
{
    uint8_t head[4];
    if (fread(head, 1, sizeof head, stdin) != sizeof head) {
        return 0;
    }
    return get_u32(head);
}

int main(void)
{
    struct yc_buf out = {0};
    begin();
    for (size_t len = read_length(); len > 0; len = read_length()) {
        /* Exactly its size, so that a read beyond an update is a read beyond the heap block. */
        uint8_t command = (uint8_t)fgetc(stdin);
        uint8_t *argument = malloc(len > 1 ? len - 1 : 1);
        if (argument == NULL || fread(argument, 1, len - 1, stdin) != len - 1) {
            fail("the command is cut short");
        }
        execute(command, (struct yc_slice){argument, len - 1}, &out);
        free(argument);
    }
    yc_buf_free(&out);
    yc_doc_destroy(doc);
    return 0;
}
