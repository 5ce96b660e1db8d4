/* Messages of y-websocket: one in each WebSocket message, and in each announcement on a room's channel.
 * A varuint says which kind it is. Loop thread only. */
#ifndef VVE_ROOM_FRAME_H
#define VVE_ROOM_FRAME_H

#include "base/view.h"
#include "net/ws.h"
#include "yc.h"

#include <stdbool.h>

enum frame_type {
    FRAME_SYNC = 0,      /* body: a sync message, see yc_sync_read */
    FRAME_AWARENESS = 1, /* body: an awareness update (its length is taken off) */
    FRAME_QUERY = 3,     /* asks for everybody's awareness; no body */
    FRAME_ROOM = 100,    /* ours, to the page: JSON */
    FRAME_UNKNOWN = -1,
};

struct frame {
    enum frame_type type;
    struct yc_slice body;
    struct view rest; /* what lies behind an awareness update or a sync message */
};

/* False: malformed. Of unknown types there is no body. */
bool frame_read(struct view bytes, struct frame *frame);

struct ws_message *frame_sync(enum yc_sync_kind kind, struct yc_slice body);
struct ws_message *frame_awareness(struct yc_slice update);
struct ws_message *frame_room(struct view json);

/* Ends the daemon when memory has ended; to be used where no other failure exists. */
void frame_must(enum yc_status status);

/* Replaces what a buffer holds by a copy. */
void frame_keep(struct yc_buf *buf, struct yc_slice bytes);

static inline struct yc_slice slice_of(struct view v)
{
    return (struct yc_slice){(const uint8_t *)v.at, v.len};
}

static inline struct view view_of_slice(struct yc_slice slice)
{
    return (struct view){(const char *)slice.data, slice.len};
}

#endif
