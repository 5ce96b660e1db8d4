/* A document of the engine behind a pipe, for tests in other languages. A command is a length
 * (4 bytes, little-endian), a letter and its argument; each is answered by a length, a status byte
 * and the result:
 *   n  forget the document, begin another      v  state vector
 *   u  apply an update; effective update       d  delete set
 *   s  state that a state vector lacks         h  hash, 8 bytes little-endian
 *   t  text of the root "t"                    e  state vector of an update
 *   m  merge of updates                        f  what a state vector (first) lacks of an update
 *   j  JSON of a root: a digit for its kind (see yc.h), its name; it is then the chosen type
 *   D  delta of the text root of that name; it is then the chosen type
 * Of the chosen type:
 *   g  choose the type at an index             k  choose the type of a key
 *   J  its JSON          T  its text           R  its delta
 *   w  choose the type at an index of a text   W  all values that a walk meets
 *   G  the value at an index                   Q  the value of a key
 *   N  its keys, each on a line                L  its length, 8 bytes little-endian
 * Writing to it, between b (begin, for a client: 8 bytes) and c (commit; the update):
 *   I  insert text: index, text, attributes    E  embed: index, value, attributes
 *   F  format: index, length, attributes       X  delete: index, length
 *   A  insert into a list: index, values       M  set a key: key, value     K  delete a key
 * m, f and the writing commands take several byte strings, each with its length in front (4 bytes);
 * an index or a length in a string of its own are 4 bytes; a value is j and JSON, s and text, b and bytes, or t, a
 * digit for the kind and a name. It ends at the end of its input. */
#include "yc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS 256

static struct yc_doc *doc;
static struct yc_type *chosen;
static struct yc_txn *txn;

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
    chosen = NULL;
    txn = NULL;
    if (doc == NULL) {
        fail("no memory");
    }
}

static void reply_u64(uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
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
    struct yc_slice parts[PARTS];
    size_t count = split(argument, parts, PARTS);
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
    enum yc_status status = yc_root(doc, yc_str("t"), YC_TEXT, &root);
    return status == YC_OK ? yc_text(root, out) : status;
}

/* --- the chosen type --------------------------------------------------------------------------- */

static enum yc_status choose_root(enum yc_kind kind, struct yc_slice name)
{
    return yc_root(doc, name, kind, &chosen);
}

static enum yc_status root_json(struct yc_slice argument, struct yc_buf *out)
{
    struct yc_slice name = {argument.data + 1, argument.len - 1};
    enum yc_status status = choose_root((enum yc_kind)(argument.data[0] - '0'), name);
    return status == YC_OK ? yc_json(chosen, out) : status;
}

static enum yc_status root_delta(struct yc_slice name, struct yc_buf *out)
{
    enum yc_status status = choose_root(YC_TEXT, name);
    return status == YC_OK ? yc_delta(chosen, out) : status;
}

/* Result of a command that builds it in pieces. */
static uint8_t built[1 << 20];
static size_t built_len;

static void build(const void *bytes, size_t len)
{
    if (len > sizeof built - built_len) {
        fail("the result is too long");
    }
    if (len > 0) {
        memcpy(built + built_len, bytes, len);
    }
    built_len += len;
}

/* A digit for the form, the length (4 bytes) and the bytes; of a type its JSON. */
static void build_value(const struct yc_value *value)
{
    struct yc_buf json = {0};
    struct yc_slice bytes = value->bytes;
    if (value->form == YC_VALUE_TYPE) {
        if (yc_json(value->type, &json) != YC_OK || yc_type_kind(value->type) != value->kind) {
            fail("a type cannot be read");
        }
        bytes = yc_buf_slice(&json);
    }
    uint8_t head[5] = {(uint8_t)('0' + (int)value->form), (uint8_t)bytes.len,
                       (uint8_t)(bytes.len >> 8), (uint8_t)(bytes.len >> 16),
                       (uint8_t)(bytes.len >> 24)};
    build(head, sizeof head);
    build(bytes.data, bytes.len);
    yc_buf_free(&json);
}

static enum yc_status get(struct yc_slice argument, bool keyed, bool chooses)
{
    struct yc_value value;
    struct yc_buf out = {0};
    enum yc_status status = keyed ? yc_map_get(chosen, argument, &value, &out)
                                  : yc_get(chosen, get_u32(argument.data), &value, &out);
    if (status == YC_OK && chooses) {
        struct yc_id id;
        if (value.form != YC_VALUE_TYPE || !yc_type_id(value.type, &id) ||
            yc_find_type(doc, id) != value.type) {
            fail("no type is there to be chosen");
        }
        chosen = value.type;
    } else if (status == YC_OK) {
        build_value(&value);
    }
    yc_buf_free(&out);
    return status;
}

/* All that a walk over the chosen type meets; or chooses the type that stands at an index. */
static enum yc_status walk(const uint8_t *chooses)
{
    struct yc_walk walk = {0};
    struct yc_value value = {.form = YC_VALUE_JSON};
    struct yc_buf out = {0};
    enum yc_status status = YC_OK;
    while (status == YC_OK && value.form != YC_VALUE_NONE) {
        status = yc_next(chosen, &walk, &value, &out);
        if (status == YC_OK && chooses == NULL) {
            build_value(&value);
        } else if (value.form == YC_VALUE_TYPE && walk.index == get_u32(chooses) + 1) {
            chosen = value.type;
            break;
        }
    }
    yc_buf_free(&out);
    return status;
}

static void reply_keys(void)
{
    static uint8_t room[65536];
    struct yc_slice name;
    size_t len = 0;
    for (const struct yc_key *key = yc_map_next(chosen, NULL, &name); key != NULL;
         key = yc_map_next(chosen, key, &name)) {
        if (len + name.len + 1 > sizeof room) {
            fail("too many keys");
        }
        memcpy(room + len, name.data, name.len);
        len += name.len;
        room[len++] = '\n';
    }
    reply(YC_OK, (struct yc_slice){room, len});
}

static enum yc_status read_chosen(uint8_t command, struct yc_slice argument, struct yc_buf *out)
{
    switch (command) {
    case 'J':
        return yc_json(chosen, out);
    case 'T':
        return yc_text(chosen, out);
    case 'R':
        return yc_delta(chosen, out);
    case 'g':
    case 'G':
        return get(argument, false, command == 'g');
    case 'k':
    case 'Q':
        return get(argument, true, command == 'k');
    default:
        return walk(command == 'w' ? argument.data : NULL);
    }
}

/* --- writing ----------------------------------------------------------------------------------- */

static struct yc_value value_of(struct yc_slice part)
{
    struct yc_value value = {.bytes = {part.data + 1, part.len - 1}};
    switch (part.data[0]) {
    case 'j':
        value.form = YC_VALUE_JSON;
        return value;
    case 'b':
        value.form = YC_VALUE_BYTES;
        return value;
    case 's':
        value.form = YC_VALUE_TEXT;
        return value;
    default:
        value.form = YC_VALUE_TYPE;
        value.kind = (enum yc_kind)(part.data[1] - '0');
        value.bytes = (struct yc_slice){part.data + 2, part.len - 2};
        return value;
    }
}

static enum yc_status insert_values(const struct yc_slice *parts, size_t count)
{
    struct yc_value values[PARTS];
    struct yc_value read;
    struct yc_buf out = {0};
    size_t index = get_u32(parts[0].data);
    for (size_t i = 1; i < count; i++) {
        values[i - 1] = value_of(parts[i]);
    }
    enum yc_status status = yc_insert(txn, chosen, index, values, count - 1);
    for (size_t i = 0; i + 1 < count && status == YC_OK; i++) {
        status = yc_get(chosen, index + i, &read, &out);
        if (read.type != values[i].type) {
            fail("a type that was made is not where it should be");
        }
    }
    yc_buf_free(&out);
    return status;
}

static enum yc_status write_chosen(uint8_t command, struct yc_slice argument)
{
    struct yc_slice parts[PARTS];
    struct yc_value value;
    size_t count = split(argument, parts, PARTS);
    switch (command) {
    case 'I':
        return yc_text_insert(txn, chosen, get_u32(parts[0].data), parts[1], parts[2]);
    case 'E':
        value = value_of(parts[1]);
        return yc_text_embed(txn, chosen, get_u32(parts[0].data), &value, parts[2]);
    case 'F':
        return yc_text_format(txn, chosen, get_u32(parts[0].data), get_u32(parts[1].data),
                              parts[2]);
    case 'X':
        return yc_delete(txn, chosen, get_u32(parts[0].data), get_u32(parts[1].data));
    case 'A':
        return insert_values(parts, count);
    case 'M':
        value = value_of(parts[1]);
        return yc_map_set(txn, chosen, parts[0], &value);
    default:
        return yc_map_delete(txn, chosen, parts[0]);
    }
}

static enum yc_status begin_writing(struct yc_slice argument)
{
    uint64_t client = get_u32(argument.data) | (uint64_t)get_u32(argument.data + 4) << 32;
    return yc_begin(doc, client, &txn);
}

/* --- commands ---------------------------------------------------------------------------------- */

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
        reply_u64(yc_hash(doc));
        return;
    case 'L':
        reply_u64(yc_length(chosen));
        return;
    case 'j':
        status = root_json(argument, out);
        result = yc_buf_slice(out);
        break;
    case 'D':
        status = root_delta(argument, out);
        result = yc_buf_slice(out);
        break;
    case 'N':
        reply_keys();
        return;
    case 'b':
        status = begin_writing(argument);
        break;
    case 'c':
        result = yc_commit(txn);
        break;
    default:
        if (chosen != NULL && command != 0 && strchr("JTRgGkQwW", command) != NULL) {
            built_len = 0;
            out->len = 0;
            status = read_chosen(command, argument, out);
            result = built_len > 0 ? (struct yc_slice){built, built_len} : yc_buf_slice(out);
        } else if (chosen != NULL && txn != NULL) {
            status = write_chosen(command, argument);
        } else {
            fail("unknown command");
        }
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
