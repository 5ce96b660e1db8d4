/* See scripts.h. Constant text; any thread. */
#include "run/scripts.h"

/* The stamps of the last minute, oldest first, as decimal text with a space behind each. */
#define RATE_WINDOW                                                                            \
    "local time = redis.call('TIME')\n"                                                        \
    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"                                \
    "local limit = tonumber(ARGV[1])\n"                                                        \
    "local stamps = {}\n"                                                                      \
    "for stamp in string.gmatch(redis.call('GET', KEYS[1]) or '', '%d+') do\n"                 \
    "  if tonumber(stamp) > now - 60000 then stamps[#stamps + 1] = stamp end\n"                \
    "end\n"                                                                                    \
    "local function free_in()\n"                                                               \
    "  local at = stamps[math.max(1, #stamps - limit + 1)]\n"                                  \
    "  return at and math.max(0, tonumber(at) + 60000 - now) or 0\n"                           \
    "end\n"

const struct script script_admit = {
    "#!lua\n" RATE_WINDOW
    "if limit > 0 and #stamps >= limit then return {'rate', 0, free_in()} end\n"
    "if redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[2]) then\n"
    "  return {'full', limit - #stamps, free_in()}\n"
    "end\n"
    "if limit > 0 then\n"
    "  stamps[#stamps + 1] = string.format('%.0f', now)\n"
    "  redis.call('SET', KEYS[1], table.concat(stamps, ' '), 'PX', 60000)\n"
    "end\n"
    "redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[5])\n"
    "redis.call('HSET', KEYS[4], 'state', 'queued', 'entry', ARGV[4], 'attempt', 0)\n"
    "redis.call('EXPIRE', KEYS[4], ARGV[5])\n"
    "redis.call('RPUSH', KEYS[2], ARGV[4])\n"
    "return {'ok', limit - #stamps, free_in()}\n",
    4, 5};

const struct script script_rate = {"#!lua flags=no-writes\n" RATE_WINDOW
                                   "return {'ok', math.max(0, limit - #stamps), free_in()}\n",
                                   1, 1};

const struct script script_status = {
    "#!lua flags=no-writes\n"
    "local status = redis.call('GET', KEYS[1])\n"
    "if not status then return {} end\n"
    "local run = redis.call('HMGET', KEYS[2], 'state', 'entry')\n"
    "local place = run[1] == 'queued' and redis.call('LPOS', KEYS[3], run[2])\n"
    "return {status, run[1] or '', place and place + 1 or 0}\n",
    3, 0};

/* With the status if the log has ended, so that the two belong together. */
const struct script script_events = {
    "#!lua flags=no-writes\n"
    "local log = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])\n"
    "local last = log[#log]\n"
    "local ended = last and last[2][2] == 'end'\n"
    "return {log, ended and redis.call('GET', KEYS[2]) or ''}\n",
    2, 2};

const struct script script_cancel = {
    "#!lua flags=allow-oom\n"
    "local run = redis.call('HMGET', KEYS[2], 'state', 'entry')\n"
    "if not run[1] then return 'missing' end\n"
    "if run[1] == 'running' then\n"
    "  redis.call('HSET', KEYS[2], 'cancel', 1)\n"
    "  redis.call('PUBLISH', KEYS[5], 'cancel')\n"
    "  return 'running'\n"
    "end\n"
    "if run[1] ~= 'queued' then return 'finished' end\n"
    "redis.call('HSET', KEYS[2], 'state', 'cancelled')\n"
    "redis.call('HDEL', KEYS[2], 'entry')\n"
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])\n"
    "redis.call('XADD', KEYS[3], '*', 'e', 'end', 'd', '')\n"
    "redis.call('EXPIRE', KEYS[2], ARGV[2])\n"
    "redis.call('EXPIRE', KEYS[3], ARGV[2])\n"
    "redis.call('LREM', KEYS[4], 1, run[2])\n"
    "redis.call('PUBLISH', '" SCRIPT_CHANNEL "', ARGV[3])\n"
    "return 'cancelled'\n",
    5, 3};

/* First to send wins: from then on the run does not wait any more. */
const struct script script_input = {
    "#!lua flags=allow-oom\n"
    "local run = redis.call('HMGET', KEYS[1], 'state', 'waiting', 'input_bytes')\n"
    "if not run[1] then return 'missing' end\n"
    "if run[1] ~= 'running' or run[2] ~= '1' then return 'not_waiting' end\n"
    "local bytes = tonumber(run[3] or 0) + #ARGV[1]\n"
    "if bytes > tonumber(ARGV[3]) then return 'too_large' end\n"
    "redis.call('HINCRBY', KEYS[1], 'inputs', 1)\n"
    "redis.call('HSET', KEYS[1], 'waiting', 0, 'input_bytes', bytes, 'input', ARGV[1],\n"
    "  'input_ends', ARGV[2])\n"
    "redis.call('XADD', KEYS[2], '*', 'e', 'input', 'd', ARGV[4])\n"
    "redis.call('PUBLISH', '" SCRIPT_CHANNEL "', ARGV[5])\n"
    "redis.call('PUBLISH', KEYS[3], 'input')\n"
    "return 'taken'\n",
    3, 5};

const struct script script_heartbeat = {"#!lua flags=allow-oom\n"
                                        "redis.call('SADD', KEYS[1], ARGV[1])\n"
                                        "redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])\n"
                                        "return 1\n",
                                        2, 2};

const struct script script_take = {
    "#!lua flags=allow-oom\n"
    "return redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')\n",
    2, 0};

/* A job without a hash comes from a foreign producer: it gets one here. A start whose reply was
 * lost finds itself as owner and keeps its attempt. */
const struct script script_start = {
    "#!lua flags=allow-oom\n"
    "local run = redis.call('HMGET', KEYS[2], 'state', 'owner', 'attempt')\n"
    "local attempt = tonumber(run[3] or 0)\n"
    "if run[1] == 'running' and run[2] == ARGV[1] then\n"
    "  return ARGV[6] == '1' and attempt or -1\n"
    "end\n"
    "if run[1] and run[1] ~= 'queued' then\n"
    "  redis.call('LREM', KEYS[4], 1, ARGV[4])\n"
    "  return 0\n"
    "end\n"
    "attempt = attempt + 1\n"
    "redis.call('HSET', KEYS[2], 'state', 'running', 'owner', ARGV[1], 'attempt', attempt,\n"
    "  'entry', ARGV[4], 'seq', 0, 'waiting', 0, 'inputs', 0, 'input_bytes', 0)\n"
    "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])\n"
    "redis.call('XADD', KEYS[3], '*', 'e', 'status', 'd', ARGV[2])\n"
    "redis.call('EXPIRE', KEYS[2], ARGV[3])\n"
    "redis.call('EXPIRE', KEYS[3], ARGV[3])\n"
    "redis.call('PUBLISH', '" SCRIPT_CHANNEL "', ARGV[5])\n"
    "return attempt\n",
    4, 6};

#define ONLY_THE_OWNER                                                                         \
    "local run = redis.call('HMGET', KEYS[2], 'state', 'owner', 'attempt', 'seq')\n"           \
    "local ours = run[1] == 'running' and run[2] == ARGV[1] and run[3] == ARGV[2]\n"

const struct script script_event = {
    "#!lua flags=allow-oom\n" ONLY_THE_OWNER
    "if not ours or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\n"
    "if tonumber(ARGV[7]) <= tonumber(run[4] or 0) then return 1 end\n"
    "redis.call('HSET', KEYS[2], 'seq', ARGV[7])\n"
    "if ARGV[3] ~= 'output' then\n"
    "  redis.call('HSET', KEYS[2], 'waiting', ARGV[3] == 'waiting' and 1 or 0)\n"
    "end\n"
    "redis.call('XADD', KEYS[3], '*', 'e', ARGV[3], 'd', ARGV[4])\n"
    "for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[5]) end\n"
    "redis.call('PUBLISH', '" SCRIPT_CHANNEL "', ARGV[6])\n"
    "return 1\n",
    3, 7};

const struct script script_end = {"#!lua flags=allow-oom\n" ONLY_THE_OWNER
                                  "redis.call('LREM', KEYS[4], 1, ARGV[6])\n"
                                  "if not ours then return 0 end\n"
                                  "redis.call('HSET', KEYS[2], 'state', ARGV[3])\n"
                                  "redis.call('HDEL', KEYS[2], 'entry')\n"
                                  "redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[5])\n"
                                  "redis.call('XADD', KEYS[3], '*', 'e', 'end', 'd', '')\n"
                                  "redis.call('EXPIRE', KEYS[2], ARGV[5])\n"
                                  "redis.call('EXPIRE', KEYS[3], ARGV[5])\n"
                                  "redis.call('PUBLISH', '" SCRIPT_CHANNEL "', ARGV[7])\n"
                                  "return 1\n",
                                  4, 7};

const struct script script_give_back = {
    "#!lua flags=allow-oom\n"
    "local entry, owner, id = ARGV[1], ARGV[2], ARGV[8]\n"
    "if ARGV[9] == '1' and redis.call('EXISTS', KEYS[6]) == 1 then return 'alive' end\n"
    "if redis.call('LREM', KEYS[4], 1, entry) == 0 then return 'gone' end\n"
    "local run = redis.call('HMGET', KEYS[2], 'state', 'owner', 'attempt', 'cancel')\n"
    "if not run[1] or run[1] == 'queued' then\n"
    "  redis.call('LPUSH', KEYS[5], entry)\n"
    "  return 'queued'\n"
    "end\n"
    "if run[1] ~= 'running' or run[2] ~= owner then return 'gone' end\n"
    "local function store(state, status, event)\n"
    "  redis.call('HSET', KEYS[2], 'state', state)\n"
    "  redis.call('HDEL', KEYS[2], 'owner', event == 'end' and 'entry' or '')\n"
    "  redis.call('SET', KEYS[1], status, 'EX', ARGV[7])\n"
    "  redis.call('XADD', KEYS[3], '*', 'e', event, 'd', event == 'end' and '' or status)\n"
    "  redis.call('EXPIRE', KEYS[2], ARGV[7])\n"
    "  redis.call('EXPIRE', KEYS[3], ARGV[7])\n"
    "  redis.call('PUBLISH', '" SCRIPT_CHANNEL "', id)\n"
    "end\n"
    "if run[4] then store('cancelled', ARGV[6], 'end') return 'ended' end\n"
    "if ARGV[3] == '1' then\n"
    "  if tonumber(run[3]) >= 2 then store('error', ARGV[5], 'end') return 'ended' end\n"
    "else\n"
    "  redis.call('HINCRBY', KEYS[2], 'attempt', -1)\n"
    "end\n"
    "store('queued', ARGV[4], 'reset')\n"
    "redis.call('LPUSH', KEYS[5], entry)\n"
    "return 'queued'\n",
    6, 9};

const struct script script_retire = {"#!lua flags=allow-oom\n"
                                     "if redis.call('EXISTS', KEYS[3]) == 1 or "
                                     "redis.call('LLEN', KEYS[1]) > 0 then return 0 end\n"
                                     "redis.call('SREM', KEYS[2], ARGV[1])\n"
                                     "return 1\n",
                                     3, 1};
