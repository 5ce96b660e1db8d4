/* What the daemons that hold a room tell one another, on the channel collab:room:{id}. Loop thread only.
 *
 * Each announcement is a plain message of y-websocket, which any Yjs tool can read, with a trailer of
 * ours behind it: who says it, the how-manieth it is, how many people are there, and in heartbeats the
 * hash of the document. A message without a trailer is somebody else's, and is taken in and stored like
 * a peer's. What came from the channel is never published again.
 *
 * Redis promises nothing of a channel, so what is missed is found out and asked for with SyncStep1: a gap
 * in somebody's numbers, structs that wait for others for more than a second, a new subscription, a
 * heartbeat with another hash. Everybody who holds the room may answer; each waits a moment at random
 * and keeps silent when another one was faster.
 *
 * What nobody else listens to is not published: Redis counts the listeners in the moment that it stores an
 * edit, and whoever begins to listen later reads it from there. */
#ifndef VVE_ROOM_BUS_H
#define VVE_ROOM_BUS_H

#include "room/room.h"

#define BUS_CHANNEL "collab:room:"

struct bus_channel {
    char name[sizeof BUS_CHANNEL + ROOM_ID_MAX];
};

struct bus_channel bus_channel(const char *room_id);

void bus_open(struct room *room);
void bus_close(struct room *room);
bool bus_is_open(const struct room *room); /* nothing that is published is missed */

/* Finds out whether other daemons hold the room, and asks them; then room_loaded again. */
void bus_ask(struct room *room);

/* To be published within some milliseconds, all rooms together. */
void bus_add_update(struct room *room, struct yc_slice update);
/* To be published soon, a few times a second at most. */
void bus_add_awareness(struct room *room, struct yc_slice news);
/* Publishes the updates that are due, of all rooms. */
void bus_publish_due(struct rooms *rooms);

/* A run of a room, which may be NULL: not in memory here. Others take it as console_on_announcement. */
void bus_publish_run(struct rooms *rooms, const char *room_id, struct room *room,
                     struct view json);

void bus_on_message(struct room *room, struct view message);
void bus_resync(struct room *room); /* asks the others */
void bus_reopened(
    struct room *room); /* after a cut subscription: asks them, and lets them ask */
/* Redis has told how many listen to the room's channel. */
void bus_note_listeners(struct room *room, long long listeners);
void bus_tick(struct room *room);

size_t bus_people(const struct room *room); /* elsewhere */

#endif
