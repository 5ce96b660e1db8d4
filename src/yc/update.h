/* What the writers of documents share with the reader of updates: the update of a transaction. */
#ifndef YC_UPDATE_H
#define YC_UPDATE_H

#include "doc.h"
#include "utf8.h"

/* Room in doc->out for the update of a transaction of at most these structs, content bytes and
 * deleted ranges. False: refused. */
bool ycp_encode_reserve(struct yc_doc *doc, size_t structs, size_t bytes, size_t deletes);
/* Empties doc->out; of its room only a little stays. */
void ycp_encode_begin(struct yc_doc *doc);
/* Writes what the transaction added and deleted into doc->out; nothing when it did neither. */
void ycp_encode_transaction(struct yc_doc *doc, bool wanted);

#endif
