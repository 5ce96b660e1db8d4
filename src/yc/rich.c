/* Reading text with its formats, as a delta, and XML. */
#include "formats.h"
#include "json.h"
#include "read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- runs ------------------------------------------------------------------------------------ */

/* Goes over a text run by run: characters, or one embedded thing, and the formats that hold. */
struct runs {
    const struct item *item; /* the next to be looked at */
    const struct item *embed;
    struct yc_buf text;
    struct formats formats;
    struct heap heap; /* of formats */
};

static void runs_begin(struct runs *runs, const struct yc_type *text, const struct yc_buf *out)
{
    *runs = (struct runs){.item = text->start, .text = {.allocator = out->allocator}};
    runs->heap.allocator = out->allocator == NULL ? ycp_libc_allocator : *out->allocator;
    runs->heap.limit = SIZE_MAX;
}

/* False when memory was short. */
static bool runs_finish(struct runs *runs)
{
    bool ok = !runs->text.failed;
    yc_buf_free(&runs->text);
    ycp_formats_free(&runs->formats, &runs->heap);
    return ok;
}

static void pass_format(struct runs *runs, const struct item *item)
{
    if (ycp_formats_reserve(&runs->formats, &runs->heap, runs->formats.count + 1)) {
        ycp_formats_pass(&runs->formats, item);
    } else {
        runs->text.failed = true;
    }
}

/* The next run; false at the end. The formats stay as they are at the run until the next call. */
static bool runs_next(struct runs *runs)
{
    runs->text.len = 0;
    runs->embed = NULL;
    for (; runs->item != NULL && !runs->text.failed; runs->item = runs->item->right) {
        const struct item *item = runs->item;
        bool ends = item->ref == REF_FORMAT || item->ref == REF_TYPE || item->ref == REF_EMBED;
        if (ycp_item_deleted(item)) {
            continue;
        }
        if (ends && runs->text.len > 0) {
            return true;
        }
        if (item->ref == REF_STRING) {
            ycp_put_item_text(&runs->text, item);
        } else if (item->ref == REF_FORMAT) {
            pass_format(runs, item);
        } else if (ends) {
            runs->embed = item;
            runs->item = item->right;
            return true;
        }
    }
    return runs->text.len > 0;
}

/* --- deltas ---------------------------------------------------------------------------------- */

static void put_attributes(struct yc_buf *out, const struct formats *formats)
{
    for (size_t i = 0; i < formats->count; i++) {
        ycp_put_text(out, i == 0 ? ",\"attributes\":{" : ",");
        ycp_put_json_string(out, formats->all[i].key);
        ycp_put_u8(out, ':');
        ycp_put_raw(out, formats->all[i].value.data, formats->all[i].value.len);
    }
    ycp_put_text(out, formats->count > 0 ? "}" : "");
}

enum yc_status yc_delta(const struct yc_type *text, struct yc_buf *out)
{
    ycp_buf_begin(out);
    if (!ycp_is_text(text->kind)) {
        return YC_KIND;
    }
    struct runs runs;
    runs_begin(&runs, text, out);
    ycp_put_u8(out, '[');
    for (bool first = true; runs_next(&runs); first = false) {
        ycp_put_text(out, first ? "{\"insert\":" : ",{\"insert\":");
        if (runs.embed != NULL) {
            ycp_put_item_json(out, runs.embed, 0);
        } else {
            ycp_put_json_string(out, yc_buf_slice(&runs.text));
        }
        put_attributes(out, &runs.formats);
        ycp_put_u8(out, '}');
    }
    ycp_put_u8(out, ']');
    out->failed = !runs_finish(&runs) || out->failed;
    return ycp_buf_end(out);
}

/* --- XML ------------------------------------------------------------------------------------- */

static int by_bytes(struct yc_slice a, struct yc_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_format_key(const void *a, const void *b)
{
    return by_bytes(((const struct format *)a)->key, ((const struct format *)b)->key);
}

/* A JSON value as a template string of JavaScript writes it; of objects and arrays just that they
 * are. */
static void put_plain(struct yc_buf *out, struct yc_slice json)
{
    if (json.data[0] == '"') {
        ycp_json_unescape(out, json);
    } else if (json.data[0] == '{') {
        ycp_put_text(out, "[object Object]");
    } else {
        ycp_put_raw(out, json.data, json.len);
    }
}

static void put_attribute_start(struct yc_buf *out, size_t index)
{
    char name[32];
    (void)snprintf(name, sizeof name, " %zu=\"", index);
    ycp_put_text(out, name);
}

/* The characters of a string, or the elements of an array, numbered. */
static void put_numbered(struct yc_buf *out, struct yc_slice value)
{
    struct yc_buf text = {.allocator = out->allocator};
    struct json json = ycp_json(value);
    size_t index = 0;
    if (value.data[0] == '"') {
        ycp_json_unescape(&text, value);
        for (size_t at = 0, size; at < text.len; at += size, index++) {
            for (size = 1; at + size < text.len && (text.data[at + size] & 0xc0) == 0x80;) {
                size++;
            }
            put_attribute_start(out, index);
            ycp_put_raw(out, text.data + at, size);
            ycp_put_u8(out, '"');
        }
    } else if (ycp_json_next(&json, NULL) == JSON_OPEN_ARRAY) {
        for (uint64_t left = ycp_json_count(json, false); left > 0; left--, index++) {
            put_attribute_start(out, index);
            put_plain(out, ycp_json_value(&json));
            ycp_put_u8(out, '"');
        }
    }
    out->failed = out->failed || text.failed;
    yc_buf_free(&text);
}

/* The members of a format's value are the attributes of its tag; of a string and an array, which
 * no editor uses so, those that JavaScript finds in them. */
static void put_tag_attributes(struct yc_buf *out, struct yc_slice value)
{
    struct json json = ycp_json(value);
    if (ycp_json_next(&json, NULL) != JSON_OPEN_OBJECT) {
        put_numbered(out, value);
        return;
    }
    struct yc_slice key;
    while (ycp_json_next(&json, &key) == JSON_STRING) {
        ycp_put_u8(out, ' ');
        ycp_json_unescape(out, key);
        ycp_put_text(out, "=\"");
        put_plain(out, ycp_json_value(&json));
        ycp_put_u8(out, '"');
    }
}

static void put_tagged(struct yc_buf *out, struct runs *runs)
{
    struct formats *formats = &runs->formats;
    for (size_t i = 0; i < formats->count; i++) {
        ycp_put_u8(out, '<');
        ycp_put_raw(out, formats->all[i].key.data, formats->all[i].key.len);
        put_tag_attributes(out, formats->all[i].value);
        ycp_put_u8(out, '>');
    }
    if (runs->embed != NULL) {
        ycp_put_text(out, "[object Object]");
    } else {
        ycp_put_raw(out, runs->text.data, runs->text.len);
    }
    for (size_t i = formats->count; i > 0; i--) {
        ycp_put_text(out, "</");
        ycp_put_raw(out, formats->all[i - 1].key.data, formats->all[i - 1].key.len);
        ycp_put_u8(out, '>');
    }
}

static void put_xml_text(struct yc_buf *out, const struct yc_type *text)
{
    struct runs runs;
    runs_begin(&runs, text, out);
    while (runs_next(&runs)) {
        /* In the order of their names; the next format that is passed finds its key anyway. */
        if (runs.formats.count > 1) {
            qsort(runs.formats.all, runs.formats.count, sizeof(struct format), by_format_key);
        }
        put_tagged(out, &runs);
    }
    out->failed = !runs_finish(&runs) || out->failed;
}

static void put_text(struct yc_buf *out, const struct yc_type *text)
{
    for (const struct item *item = text->start; item != NULL; item = item->right) {
        if (item->ref == REF_STRING && !ycp_item_deleted(item)) {
            ycp_put_item_text(out, item);
        }
    }
}

static void put_name(struct yc_buf *out, const struct yc_type *element)
{
    if (element->item == NULL) { /* a root has no name, in the words of Yjs */
        ycp_put_text(out, "undefined");
    }
    for (size_t i = 0; i < element->xml_name.len; i++) {
        uint8_t c = element->xml_name.data[i];
        ycp_put_u8(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c);
    }
}

/* A type that is not entered: text, or what JavaScript says of others. */
static void put_child(struct yc_buf *out, const struct yc_type *type)
{
    if (type->kind == YC_XML_TEXT) {
        put_xml_text(out, type);
    } else if (type->kind == YC_TEXT) {
        put_text(out, type);
    } else {
        ycp_put_text(out, "[object Object]");
    }
}

static int by_entry_key(const void *a, const void *b)
{
    const struct entry *left = *(const struct entry *const *)a;
    const struct entry *right = *(const struct entry *const *)b;
    return by_bytes((struct yc_slice){left->key, left->len},
                    (struct yc_slice){right->key, right->len});
}

static void put_attribute(struct yc_buf *out, const struct entry *entry)
{
    const struct item *item = entry->is.last;
    struct yc_buf value = {.allocator = out->allocator};
    ycp_put_u8(out, ' ');
    ycp_put_raw(out, entry->key, entry->len);
    ycp_put_text(out, "=\"");
    if (item->ref == REF_TYPE) {
        put_child(out, item->content.type);
    } else {
        ycp_put_item_json(&value, item, item->len - 1);
        if (value.len > 0) {
            put_plain(out, yc_buf_slice(&value));
        }
    }
    ycp_put_u8(out, '"');
    out->failed = out->failed || value.failed;
    yc_buf_free(&value);
}

/* In the order of their names. */
static void put_attributes_of(struct yc_buf *out, const struct yc_type *element)
{
    struct yc_buf sorted = {.allocator = out->allocator};
    size_t count = 0;
    for (const struct entry *entry = element->entries; entry != NULL; entry = entry->next) {
        if (ycp_item_visible(entry->is.last)) {
            ycp_put_raw(&sorted, &entry, sizeof(struct entry *));
            count++;
        }
    }
    out->failed = out->failed || sorted.failed;
    const struct entry **entries = (const struct entry **)(void *)sorted.data;
    if (count > 1 && !sorted.failed) {
        qsort(entries, count, sizeof(struct entry *), by_entry_key);
    }
    for (size_t i = 0; i < count && !out->failed; i++) {
        put_attribute(out, entries[i]);
    }
    yc_buf_free(&sorted);
}

static void open_element(struct yc_buf *out, const struct yc_type *element)
{
    if (element->kind == YC_XML_ELEMENT) {
        ycp_put_u8(out, '<');
        put_name(out, element);
        put_attributes_of(out, element);
        ycp_put_u8(out, '>');
    }
}

static void close_element(struct yc_buf *out, const struct yc_type *element)
{
    if (element->kind == YC_XML_ELEMENT) {
        ycp_put_text(out, "</");
        put_name(out, element);
        ycp_put_u8(out, '>');
    }
}

static bool has_children(const struct item *item)
{
    return item->ref == REF_TYPE && (item->content.type->kind == YC_XML_ELEMENT ||
                                     item->content.type->kind == YC_XML_FRAGMENT);
}

static void put_tree(struct yc_buf *out, const struct yc_type *top)
{
    const struct yc_type *type = top;
    const struct item *item = type->start;
    open_element(out, type);
    while (!out->failed) {
        while (item != NULL && !ycp_item_visible(item)) {
            item = item->right;
        }
        if (item == NULL) {
            close_element(out, type);
            if (type == top) {
                return;
            }
            item = type->item->right;
            type = ycp_item_type(type->item);
        } else if (has_children(item)) {
            type = item->content.type;
            item = type->start;
            open_element(out, type);
        } else {
            if (item->ref == REF_TYPE) { /* no Yjs puts a plain value among XML */
                put_child(out, item->content.type);
            }
            item = item->right;
        }
    }
}

void ycp_put_type_text(struct yc_buf *out, const struct yc_type *type)
{
    if (type->kind == YC_TEXT) {
        put_text(out, type);
    } else if (type->kind == YC_XML_TEXT) {
        put_xml_text(out, type);
    } else {
        put_tree(out, type);
    }
}
