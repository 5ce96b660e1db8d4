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
    struct yc_buf sorted; /* the same in order of their keys, when that is asked for */
    struct heap heap;     /* of formats */
};

static void runs_begin(struct runs *runs, const struct yc_type *text, const struct yc_buf *out)
{
    *runs = (struct runs){.item = text->start,
                          .text = {.allocator = out->allocator},
                          .formats = {.seed = text->doc->store.seed},
                          .sorted = {.allocator = out->allocator}};
    runs->heap.allocator = out->allocator == NULL ? ycp_libc_allocator : *out->allocator;
    runs->heap.limit = SIZE_MAX;
}

/* False when memory was short. */
static bool runs_finish(struct runs *runs)
{
    bool ok = !runs->text.failed && !runs->sorted.failed;
    yc_buf_free(&runs->text);
    yc_buf_free(&runs->sorted);
    ycp_formats_free(&runs->formats, &runs->heap);
    return ok;
}

static void pass_format(struct runs *runs, const struct item *item)
{
    if (ycp_formats_reserve(&runs->formats, &runs->heap, runs->formats.count + 1)) {
        ycp_formats_pass(&runs->formats, item);
        runs->sorted.len = 0; /* no more */
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
    const char *before = ",\"attributes\":{";
    size_t at = 0;
    for (const struct format *format = ycp_formats_next(formats, &at); format != NULL;
         format = ycp_formats_next(formats, &at)) {
        ycp_put_text(out, before);
        ycp_put_json_string(out, format->key);
        ycp_put_u8(out, ':');
        ycp_put_raw(out, format->value.data, format->value.len);
        before = ",";
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

/* The order of JavaScript: by UTF-16 units. In it what needs a pair, four bytes in UTF-8, stands in
 * front of the last characters that do not. */
static int by_units(struct yc_slice a, struct yc_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    size_t at = 0;
    while (at < len && a.data[at] == b.data[at]) {
        at++;
    }
    if (at == len) {
        return (a.len > b.len) - (a.len < b.len);
    }
    uint8_t left = a.data[at];
    uint8_t right = b.data[at];
    bool paired = (left >= 0xf0) != (right >= 0xf0) && left >= 0xee && right >= 0xee;
    return (left < right) != paired ? -1 : 1;
}

static int by_format_key(const void *a, const void *b)
{
    return by_units(((const struct format *)a)->key, ((const struct format *)b)->key);
}

/* A JSON value as a template string of JavaScript writes it: of objects just that they are, arrays
 * joined by commas, with those in them and nothing for null. */
static void put_plain(struct yc_buf *out, struct yc_slice value)
{
    struct json json = ycp_json(value);
    size_t depth = 0;
    bool first = true; /* of the array */
    do {
        struct json behind = json;
        struct yc_slice text;
        enum json_token token = ycp_json_next(&behind, &text);
        if (token == JSON_CLOSE) {
            depth--;
            first = false;
            json = behind;
            continue;
        }
        ycp_put_text(out, first ? "" : ",");
        first = token == JSON_OPEN_ARRAY;
        depth += first;
        if (token == JSON_OPEN_OBJECT) {
            ycp_put_text(out, "[object Object]");
            ycp_json_value(&json);
            continue;
        }
        json = behind;
        if (token == JSON_STRING) {
            ycp_json_unescape(out, text);
        } else if (token != JSON_OPEN_ARRAY && (token != JSON_NULL || depth == 0)) {
            ycp_put_raw(out, text.data, text.len);
        }
    } while (depth > 0);
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

/* The members of a JSON object that was just opened, in the order of their keys, as attributes. */
static void put_members(struct yc_buf *out, struct json *json)
{
    struct yc_buf members = {.allocator = out->allocator}; /* as formats */
    struct yc_buf keys = {.allocator = out->allocator};
    struct yc_slice key;
    /* Nothing gets longer than it is written: the keys do not move. */
    (void)ycp_buf_reserve(&keys, (size_t)(json->end - json->at));
    while (ycp_json_next(json, &key) == JSON_STRING) {
        size_t start = keys.len;
        ycp_json_unescape(&keys, key);
        struct format member = {{keys.data + start, keys.len - start}, ycp_json_value(json)};
        ycp_put_raw(&members, &member, sizeof member);
    }
    out->failed = out->failed || members.failed || keys.failed;
    struct format *all = (struct format *)(void *)members.data;
    size_t count = all == NULL ? 0 : members.len / sizeof *all;
    if (count > 1 && !out->failed) {
        qsort(all, count, sizeof *all, by_format_key);
    }
    for (size_t i = 0; i < count && !out->failed; i++) {
        ycp_put_u8(out, ' ');
        ycp_put_raw(out, all[i].key.data, all[i].key.len);
        ycp_put_text(out, "=\"");
        put_plain(out, all[i].value);
        ycp_put_u8(out, '"');
    }
    yc_buf_free(&members);
    yc_buf_free(&keys);
}

/* The members of a format's value are the attributes of its tag; of a string and an array, which
 * no editor uses so, those that JavaScript finds in them. */
static void put_tag_attributes(struct yc_buf *out, struct yc_slice value)
{
    struct json json = ycp_json(value);
    if (ycp_json_next(&json, NULL) == JSON_OPEN_OBJECT) {
        put_members(out, &json);
    } else {
        put_numbered(out, value);
    }
}

/* A type as text, or what JavaScript says of others. Types are in each other no deeper than the
 * document's limit. */
static void put_child(struct yc_buf *out, const struct yc_type *type)
{
    if (type->kind == YC_ARRAY || type->kind == YC_MAP || type->kind == YC_XML_HOOK) {
        ycp_put_text(out, "[object Object]");
    } else {
        ycp_put_type_text(out, type);
    }
}

static void put_tagged(struct yc_buf *out, struct runs *runs)
{
    const struct format *formats = (const struct format *)(const void *)runs->sorted.data;
    size_t count = runs->sorted.len / sizeof *formats;
    for (size_t i = 0; i < count; i++) {
        ycp_put_u8(out, '<');
        ycp_put_raw(out, formats[i].key.data, formats[i].key.len);
        put_tag_attributes(out, formats[i].value);
        ycp_put_u8(out, '>');
    }
    if (runs->embed != NULL && runs->embed->ref == REF_TYPE) {
        put_child(out, runs->embed->content.type);
    } else if (runs->embed != NULL) {
        put_plain(out, ycp_item_content(runs->embed).bytes);
    } else {
        ycp_put_raw(out, runs->text.data, runs->text.len);
    }
    for (size_t i = count; i > 0; i--) {
        ycp_put_text(out, "</");
        ycp_put_raw(out, formats[i - 1].key.data, formats[i - 1].key.len);
        ycp_put_u8(out, '>');
    }
}

/* The formats that hold, in the order of their names. */
static void sort_formats(struct runs *runs)
{
    size_t at = 0;
    if (runs->sorted.len == runs->formats.count * sizeof(struct format)) {
        return; /* already */
    }
    for (const struct format *format = ycp_formats_next(&runs->formats, &at); format != NULL;
         format = ycp_formats_next(&runs->formats, &at)) {
        ycp_put_raw(&runs->sorted, format, sizeof *format);
    }
    if (runs->formats.count > 1 && !runs->sorted.failed) {
        qsort(runs->sorted.data, runs->formats.count, sizeof(struct format), by_format_key);
    }
}

static void put_xml_text(struct yc_buf *out, const struct yc_type *text)
{
    struct runs runs;
    runs_begin(&runs, text, out);
    while (runs_next(&runs)) {
        sort_formats(&runs);
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

static int by_entry_key(const void *a, const void *b)
{
    const struct entry *left = *(const struct entry *const *)a;
    const struct entry *right = *(const struct entry *const *)b;
    return by_units((struct yc_slice){left->key, left->len},
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
    } else if (ycp_item_is_undefined(item)) {
        ycp_put_text(out, "undefined");
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
