/* yc: a Yjs document engine.
 *
 * A document is a set of named root types (text, array, map, XML) that any number of clients edit
 * and that converge without a server deciding anything. This library keeps such documents, and
 * speaks the wire formats of Yjs 13: updates and state vectors of format v1.
 *
 * Rules that hold for every call:
 *  - No I/O, no clock, no globals, no threads, no log. Calls on different documents may run at the
 *    same time in different threads. Of one document (or awareness) only calls that take it, or a
 *    type of it, as const may, while nothing changes it. No thread owns it.
 *  - Bytes from a peer are never trusted: they are checked in full before anything changes. A call
 *    that does not return YC_OK has changed nothing and has emptied its output buffer.
 *  - Lengths and positions in text count UTF-16 code units, as in every Yjs client. Text itself is
 *    UTF-8. A cut between the two halves of a surrogate pair turns each into U+FFFD, as in Yjs.
 *  - Names, keys and text that a caller hands over are UTF-8, and are copied. No input of a call may
 *    lie in its output buffer, nor in the document that the call changes: copy it first.
 *  - Bytes, keys (yc_key) and walks that a call gives and that lie in the document are valid until the
 *    next yc_apply, yc_begin, writing call, yc_commit or yc_doc_destroy of it, whatever that returns;
 *    how long types and transactions are is said there.
 *  - A pointer may be NULL only where it says so; the data of an empty slice may be.
 *  - An update always has bytes (one that says nothing has two): what comes with len 0 where an update
 *    could be is none, neither to be sent nor to be applied.
 */
#ifndef YC_H
#define YC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define YC_API __attribute__((visibility("default")))
#define YC_CHECK __attribute__((warn_unused_result))
#else
#define YC_API
#define YC_CHECK
#endif

#define YC_VERSION "0.1.0"
/* The version of the library that is linked. The soname carries its first two numbers: with others
 * structs may have grown, and programs are compiled anew. Values of enums stay from 1.0 on. */
YC_API const char *yc_version(void);

/* --- results ----------------------------------------------------------------------------------- */

enum yc_status {
    YC_OK,
    YC_MEMORY, /* the allocator gave nothing */
    YC_MALFORMED, /* the bytes are not what they should be, or contradict themselves or the document */
    YC_LIMIT, /* a limit of the document or of the call would be passed */
    YC_UTF8,  /* text from the caller is not UTF-8 */
    YC_JSON, /* a value from the caller is not JSON or too deep, or attributes are no JSON object */
    YC_RANGE, /* a position lies beyond the end */
    YC_KIND,  /* the type is of another kind */
    YC_BUSY,  /* a transaction is open */
};

/* One English clause, without a full stop; never NULL. */
YC_API const char *yc_status_text(enum yc_status status);

/* --- memory ------------------------------------------------------------------------------------ */

/* One function gives, moves and takes memory: resize(ctx, NULL, 0, n) allocates n bytes,
 * resize(ctx, p, old, n) moves, resize(ctx, p, old, 0) frees and returns NULL. It may return NULL
 * when n > 0; p is then still valid. Sizes are exact, memory is aligned as malloc's. It is called
 * within calls only, in their thread, and must not call yc; one that documents in several threads
 * share must bear that. Calls that take a document as const have memory from their buffer's alone. */
struct yc_allocator {
    void *(*resize)(void *ctx, void *ptr, size_t old_size, size_t size);
    void *ctx;
};

/* Bytes owned by somebody else. No NUL follows, and text may contain some. */
struct yc_slice {
    const uint8_t *data;
    size_t len;
};

static inline struct yc_slice yc_str(const char *text)
{
    struct yc_slice slice = {(const uint8_t *)text, strlen(text)};
    return slice;
}

/* Bytes that calls write into: each call replaces what was there and keeps the memory, so a buffer
 * that is used again costs no allocation. Starts as {0}, which means the C library's allocator; or
 * with only .allocator set. Ends with yc_buf_free. */
struct yc_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    const struct yc_allocator *allocator; /* must outlive the buffer */
    bool failed;                          /* for the library's own use */
};

/* Gives the memory back; the buffer can be used again. */
YC_API void yc_buf_free(struct yc_buf *buf);

static inline struct yc_slice yc_buf_slice(const struct yc_buf *buf)
{
    struct yc_slice slice = {buf->data, buf->len};
    return slice;
}

/* --- documents --------------------------------------------------------------------------------- */

/* What a document may grow to. Passing one refuses the call with YC_LIMIT. Zero means the default
 * in brackets. */
struct yc_limits {
    /* Memory of the document; while an update is applied, four times as much again may be held for a
     * moment [64 MiB]. */
    size_t bytes;
    size_t pending_bytes; /* encoded structs and deletes that wait for others [1 MiB] */
    uint32_t clients;     /* client ids [65,536] */
    uint32_t roots;       /* root types [1,024] */
    /* Types within types, and values within a value (where deeper ones are YC_MALFORMED from peers,
     * YC_JSON from the caller) [64, which is also the most]. */
    uint32_t depth;
    uint32_t name_bytes; /* a root's name or a map key [4,096] */
    uint64_t clock;      /* highest clock of a client [2^32 - 1, which is also the most] */
};

struct yc_options {
    struct yc_limits limits;
    const struct yc_allocator *allocator; /* NULL: the C library's; copied */
    /* A number that peers cannot guess keeps them from choosing ids and keys that fall into one
     * slot of a hash table. 0: the document's address. */
    uint64_t hash_seed;
};

struct yc_doc;

/* NULL when memory is short. options may be NULL: the defaults. */
YC_API struct yc_doc *yc_doc_create(const struct yc_options *options);
YC_API void yc_doc_destroy(struct yc_doc *doc); /* accepts NULL */

/* Figures of a document, all at hand (no walk). */
struct yc_stats {
    size_t bytes;         /* memory that the document holds now */
    size_t pending_bytes; /* as limited by yc_limits.pending_bytes */
    size_t items;         /* structs in memory, after melting */
    uint32_t clients; /* with structs, or some that wait or waited; one that writes just now */
    uint32_t roots;
    bool pending; /* structs or deletes wait for others */
    /* Grows whenever yc_encode_state would give other bytes; for what a transaction writes, when it
     * is committed. */
    uint64_t version;
};
YC_API void yc_doc_stats(const struct yc_doc *doc, struct yc_stats *stats);

/* --- a document and bytes ---------------------------------------------------------------------- */

/* Takes an update in. What cannot be placed yet, because it builds on something not seen, waits in
 * the document, and is part of its state. effective (may be NULL) becomes the update that is news to
 * whoever was level with this document before the call, and lies in the document; empty (len 0) when
 * nothing was news, or when all of it waits: to have it after a restart keep the update itself.
 * When structs that wait have become due and would pass a limit, what is due is dropped: it does not
 * hold up the update that it waited for. An empty document takes in four times as much that waits (in a
 * state it is melted, and may be longer than it was); of a state that has more, none of that is kept.
 * YC_MALFORMED, YC_LIMIT, YC_MEMORY, YC_BUSY. */
YC_API YC_CHECK enum yc_status yc_apply(struct yc_doc *doc, struct yc_slice update,
                                        struct yc_slice *effective);

/* The state vector: for each client the first clock not held. YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_encode_state_vector(const struct yc_doc *doc,
                                                      struct yc_buf *out);

/* All that a holder of state_vector lacks, pending structs and deletes included; with an empty
 * slice, the whole document. YC_MALFORMED (the state vector), YC_MEMORY. */
YC_API YC_CHECK enum yc_status
yc_encode_state(const struct yc_doc *doc, struct yc_slice state_vector, struct yc_buf *out);

/* A hash of the state vector and the delete set: equal documents have equal hashes, on every
 * machine; pending structs do not count. Not meant to withstand somebody who seeks collisions. */
YC_API uint64_t yc_hash(const struct yc_doc *doc);

/* The delete set in the layout that ends every update. YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_encode_delete_set(const struct yc_doc *doc,
                                                    struct yc_buf *out);

/* --- bytes without a document ------------------------------------------------------------------ */

/* Limits for these calls: nesting up to 64, nothing else but the size of the input. */

/* One update that says what all of them say; without a document nothing melts and nothing is
 * collected. count 0 gives the empty update. YC_MALFORMED, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_merge_updates(const struct yc_slice *updates, size_t count,
                                                struct yc_buf *out);

/* What a holder of state_vector (empty: of nothing) lacks of an update; its delete set is copied
 * whole. YC_MALFORMED, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_diff_update(struct yc_slice update,
                                              struct yc_slice state_vector, struct yc_buf *out);

/* The state vector of somebody who holds just this update. YC_MALFORMED, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_state_vector_of_update(struct yc_slice update,
                                                         struct yc_buf *out);

/* --- types ------------------------------------------------------------------------------------- */

enum yc_kind {
    YC_ARRAY,
    YC_MAP,
    YC_TEXT,
    YC_XML_ELEMENT,
    YC_XML_FRAGMENT,
    YC_XML_HOOK,
    YC_XML_TEXT,
    YC_ANY_KIND, /* a root: the wire carries its name only, so it is what its reader takes it for */
};

/* A root lives as long as its document. A type within another lives until it is deleted, by
 * anybody (in a transaction: until its end): keep its id rather than the pointer over calls that
 * change the document.
 *
 * Below, a text is of the kind YC_TEXT or YC_XML_TEXT, an XML type an element or a fragment, and a
 * hook is a map. A root of no kind yet has keys and a length; for all else yc_root tells it a kind. */
struct yc_type;

/* The root of that name, or NULL. */
YC_API struct yc_type *yc_find_root(const struct yc_doc *doc, struct yc_slice name);
/* The same, made when it is not there, and of that kind from now on. With YC_ANY_KIND it stays what
 * it is. YC_KIND (it is of another kind), YC_LIMIT, YC_UTF8, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_root(struct yc_doc *doc, struct yc_slice name,
                                       enum yc_kind kind, struct yc_type **root);
/* Roots in order of their making: start with NULL, ends with NULL. */
YC_API struct yc_type *yc_next_root(const struct yc_doc *doc, const struct yc_type *previous);

/* The name of a root, an XML element or a hook; empty for others. Valid as long as the type. */
YC_API struct yc_slice yc_type_name(const struct yc_type *type);
YC_API enum yc_kind yc_type_kind(const struct yc_type *type);

struct yc_id {
    uint64_t client;
    uint64_t clock;
};
/* The id of a type within another; false for a root. */
YC_API bool yc_type_id(const struct yc_type *type, struct yc_id *id);
/* The type of that id, or NULL when there is none or it is deleted. */
YC_API struct yc_type *yc_find_type(const struct yc_doc *doc, struct yc_id id);

/* --- reading ----------------------------------------------------------------------------------- */

/* What is read can be very much longer than the document, when peers want it to: formats are written
 * again for each run of text. Whoever reads deltas, XML, or JSON with XML text in it, of documents that
 * strangers write gives a buffer whose allocator ends somewhere. */

/* Length of a text in UTF-16 code units (embedded objects and types count 1), of an array in
 * elements, of an XML type in children; 0 for a map, unless a peer has put a list into it. */
YC_API uint64_t yc_length(const struct yc_type *type);

/* What toString() gives in Yjs: the characters of a text, without formats and embedded objects; XML
 * as XML. YC_KIND (an array, a map, a hook, a root of no kind yet), YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_text(const struct yc_type *text, struct yc_buf *out);
/* A text with its formats, as a JSON array like Quill's deltas:
 * [{"insert":"bold","attributes":{"bold":true}},{"insert":{"image":"a.png"}}]. YC_KIND, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_delta(const struct yc_type *text, struct yc_buf *out);
/* A type and all in it as JSON, as JSON.stringify(type.toJSON()) gives it in Yjs: a map is an object
 * with keys in the order of their first use, text and XML are strings, bytes are {"0":1,"1":255}, a
 * subdocument is {}. YC_KIND (a root of no kind yet), YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_json(const struct yc_type *type, struct yc_buf *out);

/* A value, read or to be written. */
enum yc_form {
    YC_VALUE_NONE, /* there is none (reading) */
    YC_VALUE_JSON, /* JSON text of one value; numbers are doubles, as in JavaScript */
    YC_VALUE_TEXT, /* a string, as it is */
    YC_VALUE_BYTES,
    YC_VALUE_TYPE, /* a type within the type */
};

struct yc_value {
    enum yc_form form;
    struct yc_slice bytes; /* JSON, text, bytes; name of a new XML element or hook */
    enum yc_kind kind;     /* of the type */
    struct yc_type *type;  /* that was read, or has been made */
};

/* One element of an array or XML type, found from the start of the list: yc_next reads all of them
 * faster. What bytes point to lies in the document or in out, and is valid until either changes.
 * YC_RANGE, YC_KIND, YC_MEMORY; form is then NONE. */
YC_API YC_CHECK enum yc_status yc_get(const struct yc_type *list, uint64_t index,
                                      struct yc_value *value, struct yc_buf *out);
/* The same for a key of a map, or an attribute of any other type. YC_OK with form NONE when it has no
 * value; an undefined one reads as null. YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_map_get(const struct yc_type *map, struct yc_slice key,
                                          struct yc_value *value, struct yc_buf *out);

/* Goes over a list: an array or XML type element by element; a text by runs of characters, embedded
 * objects (JSON) and types. Starts as {0}; good until the next change. */
struct yc_walk {
    uint64_t index; /* behind what was read last */
    const void *at; /* for the library's own use */
    uint64_t offset;
    size_t byte;
};
/* The next; form NONE at the end. YC_KIND (a map, a hook, a root of no kind yet), YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_next(const struct yc_type *list, struct yc_walk *walk,
                                       struct yc_value *value, struct yc_buf *out);

/* The keys that have a value, in the order of their first use: start with key NULL, ends with NULL.
 * Any type has attributes; one that is undefined, which JSON leaves out, is among them. */
struct yc_key;
YC_API const struct yc_key *yc_map_next(const struct yc_type *map, const struct yc_key *key,
                                        struct yc_slice *name);

/* --- writing ------------------------------------------------------------------------------------ */

/* Changes are made in a transaction, by a client whose id nobody else uses, nor an earlier run of the
 * program whose updates this document may lack: draw one at random. One transaction can be open in a
 * document; updates are refused meanwhile. Reading sees what has been written so far; yc_root and
 * yc_doc_destroy are allowed too. What is written into a deleted type is deleted at once. */
struct yc_txn;

/* client: up to 2^53 - 1; Yjs clients draw 32 random bits. YC_BUSY, YC_LIMIT (the id). */
YC_API YC_CHECK enum yc_status yc_begin(struct yc_doc *doc, uint64_t client,
                                        struct yc_txn **txn);
/* Ends the transaction, whose pointer is then void, and gives its update for others; it cannot fail.
 * Empty (len 0) when nothing was changed that others would hear of: a surrogate pair that was cut in
 * vain, to format half of it as it was, is not told, as in Yjs. The update lies in the document. */
YC_API struct yc_slice yc_commit(struct yc_txn *txn);

/* All below: YC_KIND, YC_RANGE, YC_LIMIT, YC_MEMORY, and for what they take YC_UTF8, YC_JSON. A
 * call that fails has changed nothing; the transaction goes on. There is no way back from what was
 * done. Types must be of the transaction's document. A value of the form TYPE is a new, empty type of
 * its kind, and .type becomes that: a type cannot be moved or be in two places. Form NONE is no
 * value to write: YC_JSON (YC_KIND for an embed, as all but JSON and types). */

/* Attributes are a JSON object, {"bold":true,"link":null}: null ends a format. With none (len 0) text
 * takes on the formats of the place, as in Yjs, while an embed has just those that it is given, and
 * formatting does nothing. Values are compared as they are spelt, white space aside: spell them as
 * JSON.stringify does. They are not looked at when there is nothing to insert or to format. */
YC_API YC_CHECK enum yc_status yc_text_insert(struct yc_txn *txn, struct yc_type *text,
                                              uint64_t index, struct yc_slice utf8,
                                              struct yc_slice attributes);
/* JSON (an object, in most editors) or a type, as one character of the text. */
YC_API YC_CHECK enum yc_status yc_text_embed(struct yc_txn *txn, struct yc_type *text,
                                             uint64_t index, struct yc_value *embed,
                                             struct yc_slice attributes);
YC_API YC_CHECK enum yc_status yc_text_format(struct yc_txn *txn, struct yc_type *text,
                                              uint64_t index, uint64_t len,
                                              struct yc_slice attributes);
/* From a text, an array or an XML type. */
YC_API YC_CHECK enum yc_status yc_delete(struct yc_txn *txn, struct yc_type *list,
                                         uint64_t index, uint64_t len);
/* Into an array or an XML type. */
YC_API YC_CHECK enum yc_status yc_insert(struct yc_txn *txn, struct yc_type *list,
                                         uint64_t index, struct yc_value *values, size_t count);
/* Into a map, or an attribute of a text, an XML element or a hook. */
YC_API YC_CHECK enum yc_status yc_map_set(struct yc_txn *txn, struct yc_type *map,
                                          struct yc_slice key, struct yc_value *value);
/* Nothing happens when the key has no value. */
YC_API YC_CHECK enum yc_status yc_map_delete(struct yc_txn *txn, struct yc_type *map,
                                             struct yc_slice key);

/* --- y-protocols: sync -------------------------------------------------------------------------- */

/* A sync message is a varuint (0 step 1, 1 step 2, 2 update) and its body as bytes with a length;
 * the transport's own frame type stays with the caller. */
enum yc_sync_kind { YC_SYNC_STEP1, YC_SYNC_STEP2, YC_SYNC_UPDATE };

struct yc_sync {
    enum yc_sync_kind kind;
    struct yc_slice body; /* a state vector or an update, inside the message */
};

/* Takes a message apart; all of it must be one message. The body is not looked into. */
YC_API YC_CHECK enum yc_status yc_sync_read(struct yc_slice message, struct yc_sync *sync);
YC_API YC_CHECK enum yc_status yc_sync_write(enum yc_sync_kind kind, struct yc_slice body,
                                             struct yc_buf *out);

/* The messages that a document sends: step 1 asks, step 2 answers with what the state vector, a peer's
 * step 1, lacks. YC_MALFORMED (the state vector, also an empty slice), YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_sync_step1(const struct yc_doc *doc, struct yc_buf *out);
YC_API YC_CHECK enum yc_status yc_sync_step2(const struct yc_doc *doc,
                                             struct yc_slice state_vector, struct yc_buf *out);

/* --- y-protocols: awareness --------------------------------------------------------------------- */

/* Who is here: one JSON state and one clock a client. Time is an argument, in milliseconds of any
 * clock that does not run backwards. A state nests up to 64 values. */
struct yc_awareness;

struct yc_awareness_limits {
    uint32_t clients;     /* known clients, gone ones included [1,024] */
    uint32_t state_bytes; /* one state [16 KiB] */
    size_t bytes;         /* all states [1 MiB] */
    uint64_t forget_ms;   /* a gone client's clock is kept that long [60,000] */
};

/* NULL when memory is short. Both may be NULL, and are copied. */
YC_API struct yc_awareness *yc_awareness_create(const struct yc_awareness_limits *limits,
                                                const struct yc_allocator *allocator);
YC_API void yc_awareness_destroy(struct yc_awareness *awareness); /* accepts NULL */

/* Takes in an awareness update (the body of a message, without its frame type and length). Entries
 * are first compared by clock; the JSON of stale ones is not looked at. news (may be NULL) becomes
 * an update of just what changed; len 0 when nothing did. YC_MALFORMED, YC_LIMIT, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_awareness_apply(struct yc_awareness *awareness,
                                                  struct yc_slice update, uint64_t now_ms,
                                                  struct yc_buf *news);
/* Takes a client out as its connection ends: same clock, null state. news as above; len 0 when it
 * was not here. */
YC_API YC_CHECK enum yc_status yc_awareness_remove(struct yc_awareness *awareness,
                                                   uint64_t client, uint64_t now_ms,
                                                   struct yc_buf *news);
/* Takes out clients not renewed for timeout_ms (Yjs uses 30,000), and forgets the clocks of those
 * long gone. news as above. */
YC_API YC_CHECK enum yc_status yc_awareness_expire(struct yc_awareness *awareness,
                                                   uint64_t now_ms, uint64_t timeout_ms,
                                                   struct yc_buf *news);
/* An update with everybody who is here; len 0 when nobody is. */
YC_API YC_CHECK enum yc_status yc_awareness_encode(const struct yc_awareness *awareness,
                                                   struct yc_buf *out);
/* Of several updates the newest entry of each client, as one update; they are not changed. len 0 when
 * they say nothing. YC_MALFORMED, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_awareness_merge(const struct yc_slice *updates, size_t count,
                                                  struct yc_buf *out);
/* Sets a client's own state, one JSON value (null: it goes), with the next clock; also to renew it.
 * news, as above, is for the others. YC_JSON, YC_LIMIT, YC_MEMORY. */
YC_API YC_CHECK enum yc_status yc_awareness_set(struct yc_awareness *awareness, uint64_t client,
                                                struct yc_slice json, uint64_t now_ms,
                                                struct yc_buf *news);
/* Moves *client on to the first that is here and not below it; false when there is none. All of them:
 * for (uint64_t client = 0; yc_awareness_next(awareness, &client); client++). */
YC_API bool yc_awareness_next(const struct yc_awareness *awareness, uint64_t *client);
/* Clients that are here. */
YC_API size_t yc_awareness_count(const struct yc_awareness *awareness);
/* The state of a client as JSON; {NULL, 0} when it is not here. Valid until the next change. */
YC_API struct yc_slice yc_awareness_state(const struct yc_awareness *awareness,
                                          uint64_t client);
/* The first client id and the number of entries of an update; YC_MALFORMED. For telling whose
 * connection it comes from. */
YC_API YC_CHECK enum yc_status yc_awareness_peek(struct yc_slice update, uint64_t *client,
                                                 uint64_t *count);

#ifdef __cplusplus
}
#endif
#endif
