/* Writing lists (arrays, the children of XML) and maps (and the attributes of XML and text). */
#include "json.h"
#include "utf8.h"
#include "write.h"

static bool is_xml(enum yc_kind kind)
{
    return kind == YC_XML_ELEMENT || kind == YC_XML_FRAGMENT;
}

/* Written as an any value. */
static bool is_any(const struct yc_value *value)
{
    return value->form == YC_VALUE_JSON || value->form == YC_VALUE_TEXT;
}

/* --- lists ----------------------------------------------------------------------------------- */

/* XML holds XML only. */
static bool may_hold(const struct yc_type *list, const struct yc_value *value)
{
    if (list->kind == YC_ARRAY) {
        return true;
    }
    return value->form == YC_VALUE_TYPE &&
           (is_xml(value->kind) || value->kind == YC_XML_TEXT || value->kind == YC_XML_HOOK);
}

static enum yc_status check_values(struct yc_txn *txn, const struct yc_type *list,
                                   const struct yc_value *values, size_t count,
                                   struct needs *needs)
{
    enum yc_status status = YC_OK;
    ycp_buf_begin(&txn->scratch);
    for (size_t i = 0; i < count && status == YC_OK; i++) {
        status = may_hold(list, &values[i]) ? ycp_value_check(txn, list, &values[i]) : YC_KIND;
        needs->bytes += is_any(&values[i]) ? 0 : values[i].bytes.len;
    }
    needs->bytes += txn->scratch.len + (list->item == NULL ? list->name->len : 0);
    needs->items = count;
    needs->clocks = count;
    return status;
}

static void destroy_types(struct yc_type *types)
{
    while (types != NULL) {
        struct yc_type *next = types->next;
        ycp_type_destroy(types);
        types = next;
    }
}

/* The types among the values, linked in their order. */
static enum yc_status create_types(struct yc_txn *txn, const struct yc_value *values,
                                   size_t count, struct yc_type **types)
{
    struct yc_type **end = types;
    for (size_t i = 0; i < count; i++) {
        if (values[i].form == YC_VALUE_TYPE) {
            *end = ycp_value_type(txn, &values[i]);
            if (*end == NULL) {
                return ycp_refusal(&txn->doc->store.heap);
            }
            end = &(*end)->next;
        }
    }
    return YC_OK;
}

/* Values that follow one another as JSON go into one item. Returns how many. */
static size_t put_any(struct yc_txn *txn, struct gap *gap, const struct yc_value *values,
                      size_t count, struct reader *any)
{
    size_t run = 0;
    const uint8_t *start = any->at;
    while (run < count && is_any(&values[run])) {
        ycp_any_skip(any, YCP_MAX_DEPTH);
        run++;
    }
    struct content content = {run, {start, (size_t)(any->at - start)}};
    gap->left = ycp_write_item(txn, *gap, REF_ANY, &content, NULL);
    return run;
}

static void place_values(struct yc_txn *txn, struct gap gap, struct yc_value *values,
                         size_t count, struct yc_type *types)
{
    struct reader any = ycp_reader(yc_buf_slice(&txn->scratch));
    for (size_t i = 0; i < count;) {
        if (is_any(&values[i])) {
            i += put_any(txn, &gap, &values[i], count - i, &any);
            continue;
        }
        struct yc_type *type = NULL;
        if (values[i].form == YC_VALUE_TYPE && types != NULL) {
            type = types;
            types = type->next;
            type->next = NULL;
            values[i].type = type;
        }
        struct content content = {1, values[i].bytes};
        gap.left =
            ycp_write_item(txn, gap, type == NULL ? REF_BINARY : REF_TYPE, &content, type);
        i++;
    }
}

enum yc_status yc_insert(struct yc_txn *txn, struct yc_type *list, uint64_t index,
                         struct yc_value *values, size_t count)
{
    struct yc_doc *doc = txn->doc;
    if (list->kind != YC_ARRAY && !is_xml(list->kind)) {
        return YC_KIND;
    }
    if (!ycp_in_range(list, index, 0)) {
        return YC_RANGE;
    }
    if (count == 0) {
        return YC_OK;
    }
    struct needs needs = {0};
    struct yc_type *types = NULL;
    uint64_t offset = 0;
    struct item *left = index == 0 ? NULL : ycp_list_find(list, index - 1, &offset);
    needs.cut[0] = left != NULL && offset + 1 < left->len ? left : NULL;
    enum yc_status status = check_values(txn, list, values, count, &needs);
    status = status == YC_OK ? create_types(txn, values, count, &types) : status;
    status = status == YC_OK ? ycp_write_reserve(txn, &needs) : status;
    if (status != YC_OK) {
        destroy_types(types);
        return status;
    }
    const struct item *cut = needs.cut[0];
    if (cut != NULL) {
        ycp_item_clean_start(doc, cut->client, cut->clock + (uint32_t)offset + 1);
    }
    struct item *right = left == NULL ? list->start : left->right;
    place_values(txn, (struct gap){list, NULL, left, right}, values, count, types);
    return YC_OK;
}

enum yc_status ycp_list_delete(struct yc_txn *txn, struct yc_type *list, uint64_t index,
                               uint64_t len)
{
    struct yc_doc *doc = txn->doc;
    uint64_t from;
    uint64_t last;
    struct item *item = ycp_list_find(list, index, &from);
    const struct item *end = ycp_list_find(list, index + len - 1, &last);
    struct needs needs = {.deletes = ycp_deletes_for(doc, len),
                          .types = ycp_range_has_types(list, index, len)};
    needs.cut[0] = from > 0 ? item : NULL;
    needs.cut[1] = last + 1 < end->len ? end : NULL;
    enum yc_status status = ycp_write_reserve(txn, &needs);
    if (status != YC_OK) {
        return status;
    }
    if (from > 0) {
        item = ycp_item_clean_start(doc, item->client, item->clock + (uint32_t)from);
    }
    for (; len > 0; item = item->right) {
        if (ycp_item_visible(item)) {
            if (len < item->len) {
                ycp_item_clean_start(doc, item->client, item->clock + (uint32_t)len);
            }
            len -= item->len;
            ycp_item_delete(doc, item);
        }
    }
    return YC_OK;
}

enum yc_status yc_delete(struct yc_txn *txn, struct yc_type *list, uint64_t index, uint64_t len)
{
    bool text = ycp_is_text(list->kind);
    if (!text && list->kind != YC_ARRAY && !is_xml(list->kind)) {
        return YC_KIND;
    }
    if (!ycp_in_range(list, index, len)) {
        return YC_RANGE;
    }
    if (len == 0) {
        return YC_OK;
    }
    return (text ? ycp_text_delete : ycp_list_delete)(txn, list, index, len);
}

/* --- maps ------------------------------------------------------------------------------------ */

static bool has_keys(const struct yc_type *type)
{
    return type->kind == YC_MAP || type->kind == YC_XML_ELEMENT || type->kind == YC_XML_HOOK ||
           ycp_is_text(type->kind);
}

/* The entry of a key; a new one, in no table yet, when there is none. */
static struct entry *entry_for(struct yc_type *map, struct yc_slice key, bool *made)
{
    struct entry *entry = ycp_entry_find(map->doc, map, key);
    *made = entry == NULL;
    return *made ? ycp_entry_create(map->doc, key) : entry;
}

static void put_member(struct yc_txn *txn, struct yc_type *map, struct entry *entry,
                       const struct yc_value *value, struct yc_type *type)
{
    struct gap gap = {map, entry, entry->is.last, NULL};
    struct content content = {1, value->bytes};
    enum ref ref = REF_BINARY;
    if (value->form == YC_VALUE_TYPE) {
        ref = REF_TYPE;
    } else if (is_any(value)) {
        ref = REF_ANY;
        content.bytes = yc_buf_slice(&txn->scratch);
    }
    ycp_write_item(txn, gap, ref, &content, type);
}

static enum yc_status check_member(struct yc_txn *txn, struct yc_type *map, struct yc_slice key,
                                   const struct yc_value *value)
{
    if (!has_keys(map)) {
        return YC_KIND;
    }
    if (!ycp_utf8_valid(key)) {
        return YC_UTF8;
    }
    if (key.len > txn->doc->limits.name_bytes) {
        return YC_LIMIT;
    }
    ycp_buf_begin(&txn->scratch);
    return ycp_value_check(txn, map, value);
}

enum yc_status yc_map_set(struct yc_txn *txn, struct yc_type *map, struct yc_slice key,
                          struct yc_value *value)
{
    struct yc_doc *doc = txn->doc;
    enum yc_status status = check_member(txn, map, key, value);
    if (status != YC_OK) {
        return status;
    }
    bool made;
    struct entry *entry = entry_for(map, key, &made);
    struct yc_type *type = value->form == YC_VALUE_TYPE ? ycp_value_type(txn, value) : NULL;
    struct needs needs = {.items = 1, .clocks = 1, .deletes = 2};
    needs.types = entry != NULL && entry->is.last != NULL && entry->is.last->ref == REF_TYPE;
    needs.bytes = is_any(value) ? txn->scratch.len : value->bytes.len;
    needs.names = key.len + (map->item == NULL ? map->name->len : 0);
    if (entry == NULL || (type == NULL && value->form == YC_VALUE_TYPE)) {
        status = ycp_refusal(&doc->store.heap);
    } else {
        status = ycp_write_reserve(txn, &needs);
    }
    if (status != YC_OK || entry == NULL) {
        if (made) {
            ycp_entry_destroy(doc, entry);
        }
        destroy_types(type);
        return status;
    }
    if (made) {
        ycp_entry_insert(doc, map, entry);
    }
    put_member(txn, map, entry, value, type);
    value->type = type;
    return YC_OK;
}

enum yc_status yc_map_delete(struct yc_txn *txn, struct yc_type *map, struct yc_slice key)
{
    if (!has_keys(map)) {
        return YC_KIND;
    }
    const struct entry *entry = ycp_entry_find(txn->doc, map, key);
    if (entry == NULL || ycp_item_deleted(entry->is.last)) {
        return YC_OK;
    }
    struct needs needs = {.deletes = 1, .types = entry->is.last->ref == REF_TYPE};
    enum yc_status status = ycp_write_reserve(txn, &needs);
    if (status == YC_OK) {
        ycp_item_delete(txn->doc, entry->is.last);
    }
    return status;
}
