/* Reading what a document holds: lengths, values, JSON. A type within a type is entered and left by
 * the pointers that the document has anyway, without a stack. */
#include "read.h"

#include "json.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* --- types ----------------------------------------------------------------------------------- */

struct yc_slice yc_type_name(const struct yc_type *type)
{
    if (type->item == NULL) {
        return (struct yc_slice){type->name->key, type->name->len};
    }
    return type->xml_name;
}

enum yc_kind yc_type_kind(const struct yc_type *type)
{
    return type->kind;
}

bool yc_type_id(const struct yc_type *type, struct yc_id *id)
{
    if (type->item == NULL) {
        return false;
    }
    *id = (struct yc_id){type->doc->store.clients[type->item->client]->id, type->item->clock};
    return true;
}

struct yc_type *yc_find_type(const struct yc_doc *doc, struct yc_id id)
{
    uint32_t client = ycp_client_find(&doc->store, id.client);
    if (id.clock >= ycp_client_state(&doc->store, client)) {
        return NULL;
    }
    struct place place = ycp_store_find(&doc->store, client, (uint32_t)id.clock);
    const struct item *item = ycp_store_at(&doc->store, client, place);
    bool alive = item->ref == REF_TYPE && !ycp_item_deleted(item);
    return alive ? item->content.type : NULL;
}

uint64_t yc_length(const struct yc_type *type)
{
    return type->length;
}

bool ycp_item_visible(const struct item *item)
{
    return !ycp_item_deleted(item) && ycp_content_countable((enum ref)item->ref);
}

bool ycp_is_text(enum yc_kind kind)
{
    return kind == YC_TEXT || kind == YC_XML_TEXT;
}

struct item *ycp_list_find(const struct yc_type *list, uint64_t index, uint64_t *offset)
{
    struct item *item = list->start;
    while (item != NULL && (!ycp_item_visible(item) || index >= item->len)) {
        index -= ycp_item_visible(item) ? item->len : 0;
        item = item->right;
    }
    *offset = index;
    return item;
}

/* --- values ---------------------------------------------------------------------------------- */

void ycp_put_item_text(struct yc_buf *out, const struct item *item)
{
    struct content content = ycp_item_content(item);
    if (item->flags & ITEM_CUT_HEAD) {
        ycp_put_raw(out, YCP_REPLACEMENT, YCP_REPLACEMENT_SIZE);
    }
    ycp_put_raw(out, content.bytes.data, content.bytes.len);
}

/* Half of a surrogate pair as JSON.stringify writes it. */
static void put_half(struct yc_buf *out, uint32_t unit)
{
    char text[16];
    (void)snprintf(text, sizeof text, "\"\\u%04x\"", (unsigned)unit);
    ycp_put_text(out, text);
}

static void put_unit(struct yc_buf *out, struct yc_slice character, bool low)
{
    const uint8_t *pair = character.data;
    if (character.len < 4) {
        ycp_put_json_string(out, character);
        return;
    }
    uint32_t code = (uint32_t)(pair[0] & 7) << 18 | (uint32_t)(pair[1] & 63) << 12 |
                    (uint32_t)(pair[2] & 63) << 6 | (uint32_t)(pair[3] & 63);
    put_half(out, low ? 0xdc00 + (code & 0x3ff) : 0xd800 + ((code - 0x10000) >> 10));
}

/* The UTF-16 units of a string item from first to before end, each as a JSON string. */
static void put_units(struct yc_buf *out, const struct item *item, uint64_t first, uint64_t end)
{
    struct yc_slice bytes = ycp_item_content(item).bytes;
    uint64_t unit = 0;
    if (item->flags & ITEM_CUT_HEAD) {
        ycp_put_text(out, first == 0 ? "\"" YCP_REPLACEMENT "\"" : "");
        unit = 1;
    }
    for (size_t at = 0; at < bytes.len && unit < end; at += ycp_utf8_size(bytes.data[at])) {
        struct yc_slice character = {bytes.data + at, ycp_utf8_size(bytes.data[at])};
        for (size_t half = 0; half < (character.len == 4 ? 2u : 1u); half++, unit++) {
            if (unit >= first && unit < end) {
                ycp_put_text(out, unit > first ? "," : "");
                put_unit(out, character, half == 1);
            }
        }
    }
}

static bool is_word_undefined(struct yc_slice text)
{
    return text.len == 9 && memcmp(text.data, "undefined", 9) == 0;
}

/* One string of the old JSON content. */
static void put_next_json(struct yc_buf *out, struct reader *reader)
{
    struct yc_slice text = ycp_get_bytes(reader);
    if (is_word_undefined(text)) {
        ycp_put_text(out, "null");
    } else {
        ycp_put_raw(out, text.data, text.len);
    }
}

/* The bytes of an item of any values, or of JSON strings, from a value on. */
static struct reader values_at(const struct item *item, uint64_t index)
{
    struct reader reader = ycp_reader(ycp_item_content(item).bytes);
    for (uint64_t i = 0; i < index; i++) {
        if (item->ref == REF_ANY) {
            ycp_any_skip(&reader, YCP_MAX_DEPTH);
        } else {
            ycp_get_bytes(&reader);
        }
    }
    return reader;
}

/* The values of an item from first to before end, which is not a type's. */
static void put_values(struct yc_buf *out, const struct item *item, uint64_t first,
                       uint64_t end)
{
    struct yc_slice bytes = ycp_item_content(item).bytes;
    struct reader reader;
    switch (item->ref) {
    case REF_STRING:
        put_units(out, item, first, end);
        return;
    case REF_ANY:
    case REF_JSON:
        reader = values_at(item, first);
        for (uint64_t i = first; i < end && !out->failed; i++) {
            ycp_put_text(out, i > first ? "," : "");
            (item->ref == REF_ANY ? ycp_any_to_json : put_next_json)(out, &reader);
        }
        return;
    case REF_BINARY:
        ycp_put_json_bytes(out, bytes);
        return;
    case REF_EMBED:
        ycp_put_raw(out, bytes.data, bytes.len);
        return;
    default: /* a subdocument */
        ycp_put_text(out, "{}");
    }
}

bool ycp_item_is_undefined(const struct item *item)
{
    if (item->ref != REF_ANY && item->ref != REF_JSON) {
        return false;
    }
    struct reader reader = values_at(item, item->len - 1);
    return item->ref == REF_ANY ? ycp_any_is_undefined(&reader)
                                : is_word_undefined(ycp_get_bytes(&reader));
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* Where a reader of JSON is: in front of an item of a list, or an entry of a map. */
struct spot_in {
    const struct yc_type *type;
    const struct item *item;
    const struct entry *entry;
    bool follows; /* something was written before in this type */
};

static bool is_map(const struct yc_type *type)
{
    return type->kind == YC_MAP || type->kind == YC_XML_HOOK;
}

static struct spot_in enter(struct yc_buf *out, const struct yc_type *type)
{
    ycp_put_u8(out, is_map(type) ? '{' : '[');
    return (struct spot_in){type, type->start, type->entries, false};
}

/* Written as a string, however deep it is. */
static bool is_string(const struct yc_type *type)
{
    return type->kind != YC_ARRAY && !is_map(type);
}

static void put_string(struct yc_buf *out, const struct yc_type *type)
{
    struct yc_buf text = {.allocator = out->allocator};
    ycp_put_type_text(&text, type);
    out->failed = out->failed || text.failed;
    ycp_put_json_string(out, yc_buf_slice(&text));
    yc_buf_free(&text);
}

/* The next item that is written, and what stands in front of it; NULL at the end of the type. */
static const struct item *next_item(struct yc_buf *out, struct spot_in *spot)
{
    const struct item *item;
    if (is_map(spot->type)) {
        const struct entry *entry = spot->entry;
        while (entry != NULL &&
               (!ycp_item_visible(entry->is.last) || ycp_item_is_undefined(entry->is.last))) {
            entry = entry->next;
        }
        spot->entry = entry == NULL ? NULL : entry->next;
        item = entry == NULL ? NULL : entry->is.last;
    } else {
        item = spot->item;
        while (item != NULL && !ycp_item_visible(item)) {
            item = item->right;
        }
        spot->item = item == NULL ? NULL : item->right;
    }
    if (item != NULL && spot->follows) {
        ycp_put_u8(out, ',');
    }
    spot->follows = true;
    if (item != NULL && is_map(spot->type)) {
        const struct entry *entry = ycp_item_entry(item);
        ycp_put_json_string(out, (struct yc_slice){entry->key, entry->len});
        ycp_put_u8(out, ':');
    }
    return item;
}

/* Behind the type that was just left. */
static struct spot_in back_in(const struct yc_type *left)
{
    const struct item *holder = left->item;
    const struct entry *entry = ycp_item_entry(holder);
    return (struct spot_in){ycp_item_type(holder), holder->right,
                            entry == NULL ? NULL : entry->next, true};
}

static void put_type_json(struct yc_buf *out, const struct yc_type *type)
{
    if (is_string(type)) {
        put_string(out, type);
        return;
    }
    struct spot_in spot = enter(out, type);
    while (!out->failed) {
        const struct item *item = next_item(out, &spot);
        if (item == NULL) {
            ycp_put_u8(out, is_map(spot.type) ? '}' : ']');
            if (spot.type == type) {
                return;
            }
            spot = back_in(spot.type);
        } else if (item->ref != REF_TYPE) {
            put_values(out, item, is_map(spot.type) ? item->len - 1 : 0, item->len);
        } else if (is_string(item->content.type)) {
            put_string(out, item->content.type);
        } else {
            spot = enter(out, item->content.type);
        }
    }
}

void ycp_put_item_json(struct yc_buf *out, const struct item *item, uint64_t index)
{
    if (item->ref == REF_TYPE) {
        put_type_json(out, item->content.type);
    } else {
        put_values(out, item, index, index + 1);
    }
}

enum yc_status yc_json(const struct yc_type *type, struct yc_buf *out)
{
    ycp_buf_begin(out);
    if (type->kind == YC_ANY_KIND) {
        return YC_KIND;
    }
    put_type_json(out, type);
    return ycp_buf_end(out);
}

enum yc_status yc_text(const struct yc_type *type, struct yc_buf *out)
{
    ycp_buf_begin(out);
    if (type->kind == YC_ANY_KIND || type->kind == YC_ARRAY || is_map(type)) {
        return YC_KIND;
    }
    ycp_put_type_text(out, type);
    return ycp_buf_end(out);
}

/* --- single values --------------------------------------------------------------------------- */

static void put_other(struct yc_value *value, struct yc_buf *out, const struct item *item,
                      uint64_t index)
{
    put_values(out, item, index, index + 1);
    value->form = YC_VALUE_JSON;
    value->bytes = yc_buf_slice(out);
}

/* The next of an item's any values. */
static void take_any(struct yc_value *value, struct yc_buf *out, struct reader *reader)
{
    enum any_form form = ycp_any_take(reader, &value->bytes);
    value->form = form == ANY_TEXT ? YC_VALUE_TEXT : YC_VALUE_BYTES;
    if (form == ANY_OTHER) {
        ycp_any_to_json(out, reader);
        value->form = YC_VALUE_JSON;
        value->bytes = yc_buf_slice(out);
    }
}

/* One value of an item that is not text. */
static void take_value(struct yc_value *value, struct yc_buf *out, const struct item *item,
                       uint64_t index)
{
    if (item->ref == REF_TYPE) {
        value->form = YC_VALUE_TYPE;
        value->type = item->content.type;
        value->kind = value->type->kind;
    } else if (item->ref == REF_BINARY || item->ref == REF_EMBED) {
        value->form = item->ref == REF_BINARY ? YC_VALUE_BYTES : YC_VALUE_JSON;
        value->bytes = ycp_item_content(item).bytes;
    } else if (item->ref == REF_ANY) {
        struct reader reader = values_at(item, index);
        take_any(value, out, &reader);
    } else {
        put_other(value, out, item, index);
    }
}

/* Without memory there is no value. */
static enum yc_status end_value(struct yc_value *value, struct yc_buf *out)
{
    enum yc_status status = ycp_buf_end(out);
    if (status != YC_OK) {
        *value = (struct yc_value){0};
    }
    return status;
}

static bool is_list(const struct yc_type *type)
{
    return type->kind == YC_ARRAY || type->kind == YC_XML_ELEMENT ||
           type->kind == YC_XML_FRAGMENT;
}

enum yc_status yc_get(const struct yc_type *list, uint64_t index, struct yc_value *value,
                      struct yc_buf *out)
{
    *value = (struct yc_value){0};
    ycp_buf_begin(out);
    if (!is_list(list)) {
        return YC_KIND;
    }
    uint64_t offset;
    const struct item *item = ycp_list_find(list, index, &offset);
    if (item == NULL) {
        return YC_RANGE;
    }
    take_value(value, out, item, offset);
    return end_value(value, out);
}

enum yc_status yc_map_get(const struct yc_type *map, struct yc_slice key,
                          struct yc_value *value, struct yc_buf *out)
{
    const struct entry *entry = ycp_entry_find(map->doc, map, key);
    const struct item *item = entry == NULL ? NULL : entry->is.last;
    *value = (struct yc_value){0};
    ycp_buf_begin(out);
    if (item != NULL && ycp_item_visible(item)) {
        take_value(value, out, item, item->len - 1);
    }
    return end_value(value, out);
}

/* All characters of an item. */
static void take_text(struct yc_value *value, struct yc_buf *out, const struct item *item)
{
    value->form = YC_VALUE_TEXT;
    value->bytes = ycp_item_content(item).bytes;
    if (item->flags & ITEM_CUT_HEAD) {
        ycp_put_item_text(out, item);
        value->bytes = yc_buf_slice(out);
    }
}

/* The next UTF-16 unit of a string that stands in a list. In the midst of a pair byte is one behind
 * where it begins. */
static void walk_units(struct yc_walk *walk, struct yc_value *value, struct yc_buf *out,
                       const struct item *item)
{
    value->form = YC_VALUE_JSON;
    if (walk->offset == 0 && (item->flags & ITEM_CUT_HEAD)) {
        ycp_put_text(out, "\"" YCP_REPLACEMENT "\"");
    } else {
        const uint8_t *at = ycp_item_content(item).bytes.data + walk->byte;
        bool low = (*at & 0xc0) == 0x80;
        at -= low;
        size_t size = ycp_utf8_size(*at);
        put_unit(out, (struct yc_slice){at, size}, low);
        walk->byte += size < 4 ? size : low ? 3 : 1;
    }
    value->bytes = yc_buf_slice(out);
}

/* The next of the values that a walk is in the midst of. */
static void walk_values(struct yc_walk *walk, struct yc_value *value, struct yc_buf *out,
                        const struct item *item)
{
    struct yc_slice bytes = ycp_item_content(item).bytes;
    struct reader reader =
        ycp_reader((struct yc_slice){bytes.data + walk->byte, bytes.len - walk->byte});
    if (item->ref == REF_ANY) {
        take_any(value, out, &reader);
    } else {
        put_next_json(out, &reader);
        value->form = YC_VALUE_JSON;
        value->bytes = yc_buf_slice(out);
    }
    walk->byte = (size_t)(reader.at - bytes.data);
}

/* walk->at is the item that the walk is in, offset the values of it that have been read; at the end
 * both stay where they are. */
enum yc_status yc_next(const struct yc_type *list, struct yc_walk *walk, struct yc_value *value,
                       struct yc_buf *out)
{
    const struct item *item = walk->at == NULL ? list->start : walk->at;
    *value = (struct yc_value){0};
    ycp_buf_begin(out);
    if (!is_list(list) && !ycp_is_text(list->kind)) {
        return YC_KIND;
    }
    while (item != NULL && (!ycp_item_visible(item) || walk->offset >= item->len)) {
        walk->at = item;
        walk->offset = item->right == NULL ? item->len : 0;
        walk->byte = 0;
        item = item->right;
    }
    if (item == NULL) {
        return YC_OK;
    }
    uint64_t taken = 1;
    if (item->ref == REF_STRING && ycp_is_text(list->kind)) {
        take_text(value, out, item);
        taken = item->len;
    } else if (item->ref == REF_STRING) {
        walk_units(walk, value, out, item);
    } else if (item->ref == REF_ANY || item->ref == REF_JSON) {
        walk_values(walk, value, out, item);
    } else {
        take_value(value, out, item, walk->offset);
    }
    walk->at = item;
    walk->offset += taken;
    walk->index += taken;
    return end_value(value, out);
}

const struct yc_key *yc_map_next(const struct yc_type *map, const struct yc_key *key,
                                 struct yc_slice *name)
{
    /* A yc_key is an entry, under a name that says nothing about it. */
    const struct entry *entry = (const struct entry *)(const void *)key;
    entry = entry == NULL ? map->entries : entry->next;
    while (entry != NULL && !ycp_item_visible(entry->is.last)) {
        entry = entry->next;
    }
    if (entry != NULL) {
        *name = (struct yc_slice){entry->key, entry->len};
    }
    return (const struct yc_key *)(const void *)entry;
}
