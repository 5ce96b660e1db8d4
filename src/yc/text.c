/* Writing text. Formats are items of their own between the characters; where Yjs puts them, leaves
 * them out or takes them away decides what others see, so the same steps are taken here. */
#include "formats.h"
#include "json.h"
#include "utf8.h"
#include "write.h"

#include <string.h>

/* One call, and where it is in the text: between left and right, with the formats that hold there. */
struct edit {
    struct yc_txn *txn;
    struct yc_type *text;
    struct item *left;
    struct item *right;
    struct formats now;     /* here */
    struct formats wanted;  /* what the caller asks for; null among them */
    struct formats negated; /* what has to hold again behind the edit */
    struct formats start;   /* where a deletion began */
    struct formats last;    /* of each key the last format in a gap */
    struct yc_buf strings;  /* keys and values of wanted */
    size_t format_items;    /* formats in the text that hold */
    size_t format_max;      /* bytes of the longest that may be replaced */
    bool types;             /* among what will be deleted */
    uint64_t cut; /* how far into right's item the place lies; it is to be cut there */
};

/* --- attributes ------------------------------------------------------------------------------ */

/* JSON without white space: formats are compared byte by byte. */
static void put_compact(struct yc_buf *out, struct yc_slice json)
{
    bool inside = false;
    for (size_t i = 0; i < json.len; i++) {
        uint8_t c = json.data[i];
        if (inside && c == '\\') {
            ycp_put_u8(out, c);
            ycp_put_u8(out, json.data[++i]);
            continue;
        }
        inside = c == '"' ? !inside : inside;
        if (inside || strchr(" \t\r\n", c) == NULL) {
            ycp_put_u8(out, c);
        }
    }
}

static enum yc_status read_attributes(struct edit *edit, struct yc_slice attributes)
{
    struct heap *heap = &edit->txn->doc->store.heap;
    if (attributes.len == 0) {
        return YC_OK;
    }
    struct json json = ycp_json(attributes);
    if (!ycp_json_valid(attributes, edit->txn->doc->limits.depth) ||
        ycp_json_next(&json, NULL) != JSON_OPEN_OBJECT) {
        return YC_JSON;
    }
    /* Nothing gets longer than it is written: the strings do not move. */
    uint64_t count = ycp_json_count(json, true);
    if (!ycp_buf_reserve(&edit->strings, attributes.len) ||
        !ycp_formats_reserve(&edit->wanted, heap, (size_t)count)) {
        return ycp_refusal(heap);
    }
    struct yc_slice key;
    for (uint64_t i = 0; i < count; i++) {
        size_t start = edit->strings.len;
        ycp_json_next(&json, &key);
        ycp_json_unescape(&edit->strings, key);
        size_t middle = edit->strings.len;
        put_compact(&edit->strings, ycp_json_value(&json));
        const uint8_t *data = edit->strings.data;
        ycp_formats_set(&edit->wanted,
                        (struct format){{data + start, middle - start},
                                        {data + middle, edit->strings.len - middle}});
    }
    return YC_OK;
}

/* --- moving ---------------------------------------------------------------------------------- */

static bool is_format(const struct item *item)
{
    return item->ref == REF_FORMAT && !ycp_item_deleted(item);
}

/* The JSON value that holds for a key; null when none does. */
static struct yc_slice value_of(const struct formats *formats, struct yc_slice key)
{
    const struct format *found = ycp_formats_find(formats, key);
    return found == NULL ? (struct yc_slice){(const uint8_t *)"null", 4} : found->value;
}

static void forward(struct edit *edit)
{
    if (is_format(edit->right)) {
        ycp_formats_pass(&edit->now, edit->right);
    }
    edit->left = edit->right;
    edit->right = edit->right->right;
}

/* Room for all formats that there can be in any of the sets: for each key one, of which there may be
 * far fewer than format items. */
static enum yc_status survey(struct edit *edit)
{
    struct heap *heap = &edit->txn->doc->store.heap;
    struct formats *keys = &edit->last;
    const struct item *item = edit->text->formatted ? edit->text->start : NULL;
    for (; item != NULL; item = item->right) {
        if (is_format(item)) {
            edit->format_items++;
            if (!ycp_formats_reserve(keys, heap, keys->count + 1)) {
                return ycp_refusal(heap);
            }
            ycp_formats_set(keys, ycp_item_format(item));
        }
    }
    size_t most = keys->count + edit->wanted.count;
    ycp_formats_clear(keys);
    bool ok = ycp_formats_reserve(&edit->now, heap, most) &&
              ycp_formats_reserve(&edit->wanted, heap, most) &&
              ycp_formats_reserve(&edit->negated, heap, most) &&
              ycp_formats_reserve(&edit->start, heap, most) &&
              ycp_formats_reserve(&edit->last, heap, most);
    return ok ? YC_OK : ycp_refusal(heap);
}

/* Goes to an index without touching the document: right is what holds it or follows it; cut says
 * how far into right it lies. */
static void go_to(struct edit *edit, uint64_t index)
{
    edit->right = edit->text->start;
    while (index > 0) {
        if (ycp_item_visible(edit->right)) {
            if (index < edit->right->len) {
                edit->cut = index;
                return;
            }
            index -= edit->right->len;
        }
        forward(edit);
    }
}

/* Cuts what go_to found must be cut. */
static void cut_here(struct edit *edit)
{
    if (edit->cut > 0) {
        uint32_t clock = edit->right->clock + (uint32_t)edit->cut;
        edit->left = edit->right;
        edit->right = ycp_item_clean_start(edit->txn->doc, edit->right->client, clock);
        edit->cut = 0;
    }
}

static enum yc_status begin_edit(struct edit *edit, struct yc_txn *txn, struct yc_type *text,
                                 uint64_t index, struct yc_slice attributes)
{
    struct formats none = {.seed = txn->doc->store.seed};
    *edit = (struct edit){.txn = txn,
                          .text = text,
                          .now = none,
                          .wanted = none,
                          .negated = none,
                          .start = none,
                          .last = none};
    edit->strings.allocator = &txn->doc->counted;
    ycp_buf_begin(&txn->scratch);
    enum yc_status status = read_attributes(edit, attributes);
    status = status == YC_OK ? survey(edit) : status;
    if (status == YC_OK) {
        go_to(edit, index);
    }
    return status;
}

static void finish_edit(struct edit *edit)
{
    struct heap *heap = &edit->txn->doc->store.heap;
    ycp_formats_free(&edit->now, heap);
    ycp_formats_free(&edit->wanted, heap);
    ycp_formats_free(&edit->negated, heap);
    ycp_formats_free(&edit->start, heap);
    ycp_formats_free(&edit->last, heap);
    yc_buf_free(&edit->strings);
}

/* --- putting --------------------------------------------------------------------------------- */

static void put(struct edit *edit, enum ref ref, struct content content, struct yc_type *type)
{
    struct gap gap = {edit->text, NULL, edit->left, edit->right};
    edit->right = ycp_write_item(edit->txn, gap, ref, &content, type);
    forward(edit);
}

static void put_format(struct edit *edit, struct format format)
{
    struct yc_buf *payload = &edit->txn->scratch;
    ycp_buf_begin(payload);
    ycp_put_bytes(payload, format.key);
    ycp_put_bytes(payload, format.value);
    put(edit, REF_FORMAT, (struct content){1, yc_buf_slice(payload)}, NULL);
}

/* Goes over what is deleted, and formats that change nothing for what is wanted. */
static void skip_same(struct edit *edit)
{
    while (edit->right != NULL) {
        if (!ycp_item_deleted(edit->right)) {
            if (!is_format(edit->right)) {
                return;
            }
            struct format format = ycp_item_format(edit->right);
            if (!ycp_slice_equal(value_of(&edit->wanted, format.key), format.value)) {
                return;
            }
        }
        forward(edit);
    }
}

/* Begins the formats that are wanted and do not hold yet; notes what held instead. */
static void put_wanted(struct edit *edit)
{
    size_t at = 0;
    for (const struct format *wanted = ycp_formats_next(&edit->wanted, &at); wanted != NULL;
         wanted = ycp_formats_next(&edit->wanted, &at)) {
        struct yc_slice now = value_of(&edit->now, wanted->key);
        if (!ycp_slice_equal(now, wanted->value)) {
            ycp_formats_set(&edit->negated, (struct format){wanted->key, now});
            put_format(edit, *wanted);
        }
    }
}

/* Lets hold again behind the edit what held before it, unless a format there says so already. */
static void put_negated(struct edit *edit)
{
    while (edit->right != NULL) {
        if (!ycp_item_deleted(edit->right)) {
            if (!is_format(edit->right)) {
                break;
            }
            struct format format = ycp_item_format(edit->right);
            const struct format *negated = ycp_formats_find(&edit->negated, format.key);
            if (negated == NULL || !ycp_slice_equal(negated->value, format.value)) {
                break;
            }
            ycp_formats_remove(&edit->negated, format.key);
        }
        forward(edit);
    }
    size_t at = 0;
    for (const struct format *negated = ycp_formats_next(&edit->negated, &at); negated != NULL;
         negated = ycp_formats_next(&edit->negated, &at)) {
        put_format(edit, *negated);
    }
}

/* --- inserting ------------------------------------------------------------------------------- */

/* Formats that hold here and were not asked for end here; with no attributes all stay. */
static void complete_wanted(struct edit *edit, bool inherits)
{
    const struct yc_slice null = {(const uint8_t *)"null", 4};
    size_t at = 0;
    for (const struct format *now = ycp_formats_next(&edit->now, &at); now != NULL;
         now = ycp_formats_next(&edit->now, &at)) {
        if (inherits) {
            ycp_formats_set(&edit->wanted, *now);
        } else if (ycp_formats_find(&edit->wanted, now->key) == NULL) {
            ycp_formats_set(&edit->wanted, (struct format){now->key, null});
        }
    }
}

/* Room for one format that is wanted, if it does not hold already, and for the one that undoes it. */
static void reserve_format(const struct edit *edit, const struct format *wanted,
                           struct needs *needs)
{
    const size_t lengths = 16; /* of a format's key and value, as they are written */
    struct yc_slice now = value_of(&edit->now, wanted->key);
    size_t undone = now.len > edit->format_max ? now.len : edit->format_max;
    if (edit->format_max > 0 || !ycp_slice_equal(now, wanted->value)) {
        needs->bytes += 2 * (wanted->key.len + lengths) + wanted->value.len + undone;
        needs->items += 2;
        needs->clocks += 2;
    }
}

/* Room for the formats that are wanted and for those that undo them, and for the content. */
static enum yc_status reserve_edit(struct edit *edit, struct content content, size_t deletes,
                                   const struct item *second_cut)
{
    const struct yc_type *text = edit->text;
    struct needs needs = {.deletes = deletes, .clocks = (size_t)content.len};
    needs.types = edit->types;
    needs.cut[0] = edit->cut > 0 ? edit->right : NULL;
    needs.cut[1] = second_cut;
    needs.bytes = content.bytes.len;
    needs.names = text->item == NULL ? text->name->len : 0;
    needs.items = content.len > 0 ? 1 : 0;
    size_t at = 0;
    for (const struct format *wanted = ycp_formats_next(&edit->wanted, &at); wanted != NULL;
         wanted = ycp_formats_next(&edit->wanted, &at)) {
        reserve_format(edit, wanted, &needs);
    }
    enum yc_status status = ycp_write_reserve(edit->txn, &needs);
    if (status == YC_OK && !ycp_buf_reserve(&edit->txn->scratch, needs.bytes)) {
        status = ycp_refusal(&edit->txn->doc->store.heap);
    }
    return status;
}

static void insert(struct edit *edit, enum ref ref, struct content content,
                   struct yc_type *type)
{
    cut_here(edit);
    skip_same(edit);
    put_wanted(edit);
    put(edit, ref, content, type);
    put_negated(edit);
}

enum yc_status yc_text_insert(struct yc_txn *txn, struct yc_type *text, uint64_t index,
                              struct yc_slice utf8, struct yc_slice attributes)
{
    if (!ycp_is_text(text->kind)) {
        return YC_KIND;
    }
    if (!ycp_utf8_valid(utf8)) {
        return YC_UTF8;
    }
    if (!ycp_in_range(text, index, 0)) {
        return YC_RANGE;
    }
    if (utf8.len == 0) {
        return YC_OK;
    }
    struct edit edit;
    struct content content = {ycp_utf8_units(utf8), utf8};
    enum yc_status status = begin_edit(&edit, txn, text, index, attributes);
    if (status == YC_OK) {
        complete_wanted(&edit, attributes.len == 0);
        status = utf8.len > UINT32_MAX ? YC_LIMIT : reserve_edit(&edit, content, 0, NULL);
    }
    if (status == YC_OK) {
        insert(&edit, REF_STRING, content, NULL);
    }
    finish_edit(&edit);
    return status;
}

/* What an embed puts into the text: its JSON, or a new type. */
static enum yc_status embed_content(struct edit *edit, const struct yc_value *embed,
                                    struct yc_buf *json, struct yc_type **type)
{
    enum yc_status status = ycp_value_check(edit->txn, edit->text, embed);
    ycp_buf_begin(&edit->txn->scratch);
    if (status == YC_OK && embed->form == YC_VALUE_JSON) {
        put_compact(json, embed->bytes);
    } else if (status == YC_OK) {
        *type = ycp_value_type(edit->txn, embed);
    }
    bool refused = json->failed || (embed->form == YC_VALUE_TYPE && *type == NULL);
    return status == YC_OK && refused ? ycp_refusal(&edit->txn->doc->store.heap) : status;
}

enum yc_status yc_text_embed(struct yc_txn *txn, struct yc_type *text, uint64_t index,
                             struct yc_value *embed, struct yc_slice attributes)
{
    if (!ycp_is_text(text->kind) ||
        (embed->form != YC_VALUE_JSON && embed->form != YC_VALUE_TYPE)) {
        return YC_KIND;
    }
    if (!ycp_in_range(text, index, 0)) {
        return YC_RANGE;
    }
    struct edit edit;
    struct yc_type *type = NULL;
    struct yc_buf json = {.allocator = &txn->doc->counted};
    enum yc_status status = begin_edit(&edit, txn, text, index, attributes);
    status = status == YC_OK ? embed_content(&edit, embed, &json, &type) : status;
    struct content content = {1, type == NULL ? yc_buf_slice(&json) : embed->bytes};
    if (status == YC_OK) {
        complete_wanted(&edit, false);
        status = reserve_edit(&edit, content, 0, NULL);
    }
    if (status == YC_OK) {
        insert(&edit, type == NULL ? REF_EMBED : REF_TYPE, content, type);
        embed->type = type;
    } else if (type != NULL) {
        ycp_type_destroy(type);
    }
    yc_buf_free(&json);
    finish_edit(&edit);
    return status;
}

/* --- formatting ------------------------------------------------------------------------------ */

/* One format in the range, of a key that is wanted: it goes. False: the edit ends in front of it. */
static bool replace_format(struct edit *edit, uint64_t left)
{
    struct format format = ycp_item_format(edit->right);
    const struct format *wanted = ycp_formats_find(&edit->wanted, format.key);
    if (wanted == NULL) {
        return true;
    }
    if (ycp_slice_equal(wanted->value, format.value)) {
        ycp_formats_remove(&edit->negated, format.key);
    } else if (left == 0) {
        return false;
    } else {
        ycp_formats_set(&edit->negated, (struct format){wanted->key, format.value});
    }
    ycp_item_delete(edit->txn->doc, edit->right);
    return true;
}

/* Goes over the range, and behind it as far as formats there may end what begins in it. */
static void format_range(struct edit *edit, uint64_t left)
{
    while (edit->right != NULL) {
        struct item *item = edit->right;
        bool passes = ycp_item_deleted(item) || item->ref == REF_FORMAT;
        if (left == 0 && (edit->negated.count == 0 || !passes)) {
            return;
        }
        if (is_format(item)) {
            if (!replace_format(edit, left)) {
                return;
            }
        } else if (!ycp_item_deleted(item)) {
            if (left < item->len) {
                ycp_item_clean_start(edit->txn->doc, item->client,
                                     item->clock + (uint32_t)left);
            }
            left -= item->len;
        }
        forward(edit);
    }
}

/* What a format call puts where the range ends may be any format that it finds in the range. */
static void note_longest(struct edit *edit)
{
    const struct item *item = edit->format_items > 0 ? edit->right : NULL;
    for (; item != NULL; item = item->right) {
        if (is_format(item) && item->size > edit->format_max &&
            ycp_formats_find(&edit->wanted, ycp_item_format(item).key) != NULL) {
            edit->format_max = item->size;
        }
    }
}

enum yc_status yc_text_format(struct yc_txn *txn, struct yc_type *text, uint64_t index,
                              uint64_t len, struct yc_slice attributes)
{
    if (!ycp_is_text(text->kind)) {
        return YC_KIND;
    }
    if (!ycp_in_range(text, index, len)) {
        return YC_RANGE;
    }
    if (len == 0) {
        return YC_OK;
    }
    struct edit edit;
    uint64_t last;
    const struct item *end = ycp_list_find(text, index + len - 1, &last);
    enum yc_status status = begin_edit(&edit, txn, text, index, attributes);
    if (status == YC_OK) {
        const struct item *cut = last + 1 < end->len ? end : NULL;
        note_longest(&edit);
        status = reserve_edit(&edit, (struct content){0}, edit.format_items, cut);
    }
    if (status == YC_OK) {
        cut_here(&edit);
        skip_same(&edit);
        put_wanted(&edit);
        format_range(&edit, len);
        put_negated(&edit);
    }
    finish_edit(&edit);
    return status;
}

/* --- deleting -------------------------------------------------------------------------------- */

/* One format in a gap where text was deleted: it goes when a later one of the gap takes its key, or
 * when its value held in front of the gap already. */
static void tidy_format(struct edit *edit, struct item *item, bool before_end)
{
    struct format format = ycp_item_format(item);
    struct yc_slice start = value_of(&edit->start, format.key);
    const struct format *last = ycp_formats_find(&edit->last, format.key);
    bool same = ycp_slice_equal(start, format.value);
    if (last->value.data == format.value.data && !same) {
        if (before_end) {
            ycp_formats_pass(&edit->now, item);
        }
        return;
    }
    ycp_item_delete(edit->txn->doc, item);
    if (before_end && !same &&
        ycp_slice_equal(value_of(&edit->now, format.key), format.value)) {
        if (ycp_is_null(start)) {
            ycp_formats_remove(&edit->now, format.key);
        } else {
            ycp_formats_set(&edit->now, (struct format){format.key, start});
        }
    }
}

/* From where a deletion began to the next character that is left. */
static void tidy_gap(struct edit *edit, struct item *from)
{
    const struct item *end = from;
    bool before_end = true;
    for (; end != NULL && !ycp_item_visible(end); end = end->right) {
        if (is_format(end)) {
            ycp_formats_set(&edit->last, ycp_item_format(end));
        }
    }
    for (struct item *item = from; item != end; item = item->right) {
        before_end = before_end && item != edit->right;
        if (is_format(item)) {
            tidy_format(edit, item, before_end);
        }
    }
}

static void copy_formats(struct formats *to, const struct formats *from)
{
    size_t at = 0;
    for (const struct format *format = ycp_formats_next(from, &at); format != NULL;
         format = ycp_formats_next(from, &at)) {
        ycp_formats_set(to, *format);
    }
}

enum yc_status ycp_text_delete(struct yc_txn *txn, struct yc_type *text, uint64_t index,
                               uint64_t len)
{
    struct edit edit;
    uint64_t last;
    const struct item *end = ycp_list_find(text, index + len - 1, &last);
    enum yc_status status = begin_edit(&edit, txn, text, index, (struct yc_slice){NULL, 0});
    if (status == YC_OK) {
        const struct item *cut = last + 1 < end->len ? end : NULL;
        size_t deletes = ycp_deletes_for(txn->doc, len) + edit.format_items;
        edit.types = ycp_range_has_types(text, index, len);
        status = reserve_edit(&edit, (struct content){0}, deletes, cut);
    }
    if (status == YC_OK) {
        cut_here(&edit);
        copy_formats(&edit.start, &edit.now);
        struct item *from = edit.right;
        for (; len > 0; forward(&edit)) {
            struct item *item = edit.right;
            if (ycp_item_visible(item)) {
                if (len < item->len) {
                    ycp_item_clean_start(txn->doc, item->client, item->clock + (uint32_t)len);
                }
                len -= item->len;
                ycp_item_delete(txn->doc, item);
            }
        }
        tidy_gap(&edit, from);
    }
    finish_edit(&edit);
    return status;
}
