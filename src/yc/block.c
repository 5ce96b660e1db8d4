/* See block.h. */
#include "block.h"

enum { INFO_KEY = 0x20, INFO_RIGHT = 0x40, INFO_ORIGIN = 0x80, INFO_REF = 0x1f };

struct block_reader ycp_block_reader(struct yc_slice update, unsigned max_depth)
{
    struct block_reader reader = {.reader = ycp_reader(update), .max_depth = max_depth};
    reader.clients_left = ycp_get_varuint(&reader.reader);
    if (reader.clients_left > ycp_left(&reader.reader) / 2) {
        reader.reader.bad = true;
    }
    return reader;
}

struct block_reader ycp_section_reader(struct yc_slice section, unsigned max_depth)
{
    return (struct block_reader){
        .reader = ycp_reader(section), .clients_left = 1, .max_depth = max_depth};
}

/* The head of the next client that has structs. */
static bool next_client(struct block_reader *reader)
{
    struct reader *bytes = &reader->reader;
    while (reader->structs_left == 0 && reader->clients_left > 0 && !bytes->bad) {
        reader->clients_left--;
        reader->structs = ycp_get_varuint(bytes);
        reader->structs_left = reader->structs;
        reader->next.client = ycp_get_varuint(bytes);
        reader->next.clock = ycp_get_varuint(bytes);
        if (reader->structs > ycp_left(bytes) / 2) {
            bytes->bad = true;
        }
    }
    return reader->structs_left > 0 && !bytes->bad;
}

static struct yc_id get_id(struct reader *reader)
{
    struct yc_id id = {.client = ycp_get_varuint(reader)};
    id.clock = ycp_get_varuint(reader);
    return id;
}

static void get_parent(struct reader *reader, unsigned info, struct block *block)
{
    if (ycp_get_varuint(reader) == 1) {
        block->parent = PARENT_ROOT;
        block->root = ycp_get_string(reader);
    } else {
        block->parent = PARENT_ID;
        block->parent_id = get_id(reader);
    }
    block->has_key = (info & INFO_KEY) != 0;
    if (block->has_key) {
        block->key = ycp_get_string(reader);
    }
}

/* What an item names must be older than it when it is its own client's. */
static bool is_older(const struct block *block, struct yc_id id)
{
    return id.client != block->id.client || id.clock < block->id.clock;
}

static void get_item(struct block_reader *reader, unsigned info, struct block *block)
{
    struct reader *bytes = &reader->reader;
    block->has_origin = (info & INFO_ORIGIN) != 0;
    block->has_right = (info & INFO_RIGHT) != 0;
    if (block->has_origin) {
        block->origin = get_id(bytes);
    }
    if (block->has_right) {
        block->right = get_id(bytes);
    }
    if (!block->has_origin && !block->has_right) {
        get_parent(bytes, info, block);
    }
    if (block->ref > REF_DOC || (block->has_origin && !is_older(block, block->origin)) ||
        (block->has_right && !is_older(block, block->right)) ||
        (block->parent == PARENT_ID && !is_older(block, block->parent_id))) {
        bytes->bad = true;
    }
    if (!bytes->bad) {
        ycp_content_read(bytes, block->ref, reader->max_depth, &block->content);
    }
}

bool ycp_block_next(struct block_reader *reader, struct block *block)
{
    struct reader *bytes = &reader->reader;
    if (!next_client(reader)) {
        return false;
    }
    unsigned info = ycp_get_u8(bytes);
    *block = (struct block){.id = reader->next, .ref = (enum ref)(info & INFO_REF)};
    if (block->ref == REF_GC || block->ref == REF_SKIP) {
        block->content.len = ycp_get_varuint(bytes);
    } else {
        get_item(reader, info, block);
    }
    if (block->content.len == 0 || block->content.len > YCP_MAX_INTEGER - reader->next.clock) {
        bytes->bad = true;
    }
    reader->next.clock += block->content.len;
    reader->structs_left--;
    return !bytes->bad;
}

static uint8_t *write_id(uint8_t *at, struct yc_id id)
{
    return ycp_write_varuint(ycp_write_varuint(at, id.client), id.clock);
}

void ycp_block_put_head(struct yc_buf *out, const struct block *block, uint64_t offset)
{
    bool has_origin = block->has_origin || offset > 0;
    struct yc_id origin = block->origin;
    if (offset > 0) {
        origin = (struct yc_id){block->id.client, block->id.clock + offset - 1};
    }
    if (!ycp_buf_reserve(out, 1 + 4 * YCP_VARUINT_MAX)) {
        return;
    }
    uint8_t *at = out->data + out->len;
    *at++ = (uint8_t)(block->ref | (has_origin ? INFO_ORIGIN : 0) |
                      (block->has_right ? INFO_RIGHT : 0) | (block->has_key ? INFO_KEY : 0));
    at = has_origin ? write_id(at, origin) : at;
    at = block->has_right ? write_id(at, block->right) : at;
    bool has_parent = !has_origin && !block->has_right;
    if (has_parent) {
        at = ycp_write_varuint(at, block->parent == PARENT_ROOT);
        at = block->parent == PARENT_ROOT ? at : write_id(at, block->parent_id);
    }
    out->len = (size_t)(at - out->data);
    if (!has_parent) {
        return;
    }
    if (block->parent == PARENT_ROOT) {
        ycp_put_bytes(out, block->root);
    }
    if (block->has_key) {
        ycp_put_bytes(out, block->key);
    }
}

void ycp_block_put(struct yc_buf *out, const struct block *block, uint64_t offset)
{
    if (block->ref == REF_GC || block->ref == REF_SKIP) {
        ycp_put_u8(out, (uint8_t)block->ref);
        ycp_put_varuint(out, block->content.len - offset);
        return;
    }
    ycp_block_put_head(out, block, offset);
    ycp_content_put(out, block->ref, &block->content, offset);
}
