/* The names of Redis keys that hold a job or a worker, built in a buffer of the caller's. Ids,
 * names of workers and clients are ours and short. */
#ifndef VVE_RUN_KEYS_H
#define VVE_RUN_KEYS_H

#include <assert.h>
#include <stdio.h>

#define KEY_MAX 160

struct key {
    char text[KEY_MAX];
};

static inline struct key key_make(const char *before, const char *name, const char *after)
{
    struct key key;
    int len = snprintf(key.text, sizeof key.text, "%s%s%s", before, name, after);
    assert(len > 0 && len < KEY_MAX);
    return key;
}

static inline struct key key_job(const char *id)
{
    return key_make("job:", id, "");
}

static inline struct key key_run(const char *id)
{
    return key_make("job:", id, ":run");
}

static inline struct key key_events(const char *id)
{
    return key_make("job:", id, ":events");
}

static inline struct key key_control(const char *id)
{
    return key_make("job:", id, ":control");
}

static inline struct key key_taken(const char *worker)
{
    return key_make("submission_queue:", worker, "");
}

static inline struct key key_worker(const char *worker)
{
    return key_make("worker:", worker, "");
}

static inline struct key key_rate(const char *client)
{
    return key_make("ratelimit:", client, "");
}

#endif
