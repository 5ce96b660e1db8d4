/* Gives back the work of slots that died: every few seconds it looks which registered workers
 * have no heartbeat and returns what lies in their taken-lists to the queue. Runs in every
 * daemon; what two of them do at once happens once, by script. Loop thread only. */
#ifndef VVE_RUN_REAPER_H
#define VVE_RUN_REAPER_H

#include "conf/conf.h"
#include "net/redis.h"

#include <uv.h>

struct reaper;

struct reaper *reaper_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis);
void reaper_close(struct reaper *reaper);
void reaper_finish(struct reaper *reaper); /* once the loop has run dry; accepts NULL */

#endif
