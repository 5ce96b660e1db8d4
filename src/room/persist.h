/* A room in Redis: a snapshot and a log of the updates since. Loop thread only.
 *
 *     collab:doc:{id}   the snapshot, one Yjs update
 *     collab:log:{id}   list of updates, oldest first
 *     collab:base:{id}  how often the snapshot was replaced
 *
 * All three live until room-ttl after the last edit. Replies find their room by its id: it may have gone
 * meanwhile. */
#ifndef VVE_ROOM_PERSIST_H
#define VVE_ROOM_PERSIST_H

#include "room/room.h"

/* Reads all of it into the document; then room_loaded or room_failed. */
void persist_load(struct room *room);

/* Appends to the log; then room_stored with that batch or, when it did not work or nobody knows,
 * room_lost. */
void persist_append(struct room *room, struct yc_slice update, uint64_t batch);

/* Reads what is there, into the document too (somebody else's edits may be among it), and replaces it
 * by one snapshot of the document. Nothing that anybody has written meanwhile is taken away: the script
 * removes just the log entries that were read, and only if the snapshot is still the one that was read.
 * This is also how a room that Redis has lost track of is saved. Does nothing while one is under way. */
void persist_compact(struct room *room);

#endif
