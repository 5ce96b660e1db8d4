/* The console of a room: the runs that were started in it, shown to everybody who is there. Loop thread
 * only.
 *
 *     collab:runs:{id}   list of the last runs, oldest first, as JSON: at first who, when and what; once a
 *                        run has ended, with its output and status
 *     collab:code:{id}   hash of their job ids: the code of each
 *
 * A run is told to the room when it is accepted, by whichever daemon accepted it; each daemon that
 * holds the room then follows the run's log by itself, so it does not matter where it runs. Peers get
 * messages of type 100:
 *
 *     {"run":"start","jobId","by","at","codeHash"}        again: from the beginning
 *     {"run":"output","jobId","stream","text","offset"}   offset: bytes of output before it
 *                                                         of stream "stdin", with "by": what somebody
 *                                                         gave it, beside the output
 *     {"run":"state","jobId","state":{"status","position"}}  queued, at which place, or running
 *     {"run":"waiting","jobId","waiting"}                 for input, or not any more
 *     {"run":"end","jobId","status":{...}}                as GET /api/status, without the output
 *     {"run":"history","runs":[...]}                      to a joiner: all of that, run by run */
#ifndef VVE_ROOM_CONSOLE_H
#define VVE_ROOM_CONSOLE_H

#include "room/room.h"

#define CONSOLE_RUNS_MAX 20
#define CONSOLE_BYTES_MAX 65536 /* of output of all its runs; the oldest go first */

/* Reads the list, and follows what has not ended. Also when announcements may have been missed. */
void console_load(struct room *room);
/* Another daemon has announced a run. */
void console_on_announcement(struct room *room, struct yc_slice json);
/* NULL: there are no runs. */
struct ws_message *console_history(const struct room *room);
void console_close(struct room *room);

#endif
