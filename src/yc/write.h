/* What the writers of text, lists and maps share. Each call works in the same order: it looks at the
 * document without touching it, sets aside all that it can need, and only then changes anything. */
#ifndef YC_WRITE_H
#define YC_WRITE_H

#include "read.h"

/* The most that a call will add, cut and delete. */
struct needs {
    size_t items;
    size_t clocks; /* of these items */
    size_t bytes;  /* of their contents */
    size_t names;  /* bytes of names and keys that are written with them */
    size_t deletes;
    bool types;                /* among these, with all that is in them */
    const struct item *cut[2]; /* items that will be cut, or NULL */
};

/* Where a new item goes: between two neighbours of a list, or behind the last item of a key. */
struct gap {
    struct yc_type *type;
    struct entry *entry; /* NULL in a list */
    struct item *left;
    struct item *right;
};

/* Sets it aside. Nothing that follows in the same call can fail. */
enum yc_status ycp_write_reserve(struct yc_txn *txn, const struct needs *needs);
/* Puts a new item of the transaction's client into a gap. bytes are copied; they may be those of
 * txn->scratch. type, of REF_TYPE, is taken over. */
struct item *ycp_write_item(struct yc_txn *txn, struct gap gap, enum ref ref,
                            const struct content *content, struct yc_type *type);

/* Deletes a range that lies in the list, and is not empty. */
enum yc_status ycp_list_delete(struct yc_txn *txn, struct yc_type *list, uint64_t index,
                               uint64_t len);
/* The same in a text: formats that have become redundant go with it. */
enum yc_status ycp_text_delete(struct yc_txn *txn, struct yc_type *text, uint64_t index,
                               uint64_t len);
/* Whether the range lies in the list. */
bool ycp_in_range(const struct yc_type *list, uint64_t index, uint64_t len);
/* Whether a type lies in the range. */
bool ycp_range_has_types(const struct yc_type *list, uint64_t index, uint64_t len);
/* The most structs that deleting so many elements can mark. */
size_t ycp_deletes_for(const struct yc_doc *doc, uint64_t len);

/* Checks a value; of JSON the payload, as of REF_ANY, is added to txn->scratch. */
enum yc_status ycp_value_check(struct yc_txn *txn, const struct yc_type *type,
                               const struct yc_value *value);
/* The new type that a checked value stands for; NULL when refused. */
struct yc_type *ycp_value_type(struct yc_txn *txn, const struct yc_value *value);

#endif
