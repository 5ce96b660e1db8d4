/* See watch.h. Loop thread only. A watcher has at most one read under way; what is announced
 * meanwhile makes it read once more. Reads carry the watcher's id and look it up when they
 * return. */
#include "run/watch.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256
#define TICK_MS 250
#define CHECK_EVERY 60 /* ticks: 15 s */

struct watcher {
    struct list node; /* in watch->buckets[id % BUCKETS]; owned by watch */
    uint64_t id;
    char job_id[ID_UUID_LEN + 1];
    char after[QUEUE_EVENT_ID_MAX];
    watch_on_event *on_event;
    void *context;
    bool reading;
    bool again;       /* announced while reading */
    bool failed;      /* Redis did not answer: the timer reads again */
    bool started;     /* saw an event: it waits in the queue no more */
    bool overdue;     /* at the last check its job had ended, but no end was in the log */
    int64_t position; /* last told; 0: none */
};

struct watch {
    struct queue *queue;
    struct list buckets[BUCKETS];
    uint64_t last_id;
    uv_timer_t timer;
    bool positions_stale;
    unsigned ticks;
};

/* A read under way. */
struct reading {
    struct watch *watch;
    uint64_t id;
};

static struct watcher *find(struct watch *watch, uint64_t id)
{
    LIST_EACH (&watch->buckets[id % BUCKETS], node, next) {
        struct watcher *watcher = LIST_OBJECT(node, struct watcher, node);
        if (watcher->id == id) {
            return watcher;
        }
    }
    return NULL;
}

static struct reading *reading_of(struct watch *watch, uint64_t id)
{
    struct reading *reading = mem_alloc(sizeof *reading);
    *reading = (struct reading){watch, id};
    return reading;
}

static void read_log(struct watch *watch, struct watcher *watcher);

/* Hands over the events; false: the watcher went away in the middle. */
static bool hand_over(struct watch *watch, uint64_t id, const struct queue_event *events,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct watcher *watcher = find(watch, id);
        if (watcher == NULL) {
            return false;
        }
        snprintf(watcher->after, sizeof watcher->after, "%.*s", (int)events[i].id.len,
                 events[i].id.at);
        watcher->started = !view_equals(events[i].type, "reset");
        watcher->on_event(&events[i], watcher->context);
    }
    return find(watch, id) != NULL;
}

static void on_log(bool ok, const struct queue_event *events, size_t count, void *context)
{
    struct reading *reading = context;
    struct watch *watch = reading->watch;
    uint64_t id = reading->id;
    free(reading);
    if (!hand_over(watch, id, ok ? events : NULL, ok ? count : 0)) {
        return;
    }
    struct watcher *watcher = find(watch, id);
    watcher->reading = false;
    watcher->failed = !ok;
    if (ok && (watcher->again || count == QUEUE_EVENTS_MAX)) {
        read_log(watch, watcher);
    }
}

static void read_log(struct watch *watch, struct watcher *watcher)
{
    watcher->again = watcher->reading;
    if (!watcher->reading) {
        watcher->reading = true;
        queue_read_events(watch->queue, watcher->job_id, watcher->after, on_log,
                          reading_of(watch, watcher->id));
    }
}

void watch_on_announcement(struct watch *watch, struct view job_id)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        LIST_EACH (&watch->buckets[i], node, next) {
            struct watcher *watcher = LIST_OBJECT(node, struct watcher, node);
            if (view_equals(job_id, watcher->job_id)) {
                read_log(watch, watcher);
            }
        }
    }
    watch->positions_stale = true;
}

void watch_on_subscribed(struct watch *watch)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        LIST_EACH (&watch->buckets[i], node, next) {
            read_log(watch, LIST_OBJECT(node, struct watcher, node));
        }
    }
}

/* --- places in the queue ----------------------------------------------------------------- */

static void on_position(enum queue_answer answer, struct view status, enum job_state state,
                        int64_t position, void *context)
{
    struct reading *reading = context;
    struct watcher *watcher = find(reading->watch, reading->id);
    free(reading);
    if (watcher == NULL || answer != QUEUE_OK || state != JOB_QUEUED || watcher->started ||
        watcher->position == position) {
        return;
    }
    watcher->position = position;
    struct queue_event event = {view_of(""), view_of("position"), status};
    watcher->on_event(&event, watcher->context);
}

/* A log may vanish before its end was read: by its time to live, or by somebody's hand. Then the status
 * says what became of the job. */
static void on_check(enum queue_answer answer, struct view status, enum job_state state,
                     int64_t position, void *context)
{
    (void)position;
    struct reading *reading = context;
    struct watch *watch = reading->watch;
    struct watcher *watcher = find(watch, reading->id);
    free(reading);
    if (watcher == NULL || answer == QUEUE_NO_ANSWER) {
        return;
    }
    bool final = answer == QUEUE_OK && job_state_final(state);
    if (answer == QUEUE_MISSING || (final && watcher->overdue)) {
        struct queue_event event = {view_of(""), view_of(final ? "end" : "gone"), status};
        watcher->on_event(&event, watcher->context);
    } else if (final) {
        watcher->overdue = true;
        read_log(watch, watcher);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    bool positions_stale = watch->positions_stale;
    bool check = ++watch->ticks % CHECK_EVERY == 0;
    watch->positions_stale = false;
    for (unsigned i = 0; i < BUCKETS; i++) {
        LIST_EACH (&watch->buckets[i], node, next) {
            struct watcher *watcher = LIST_OBJECT(node, struct watcher, node);
            if (check) {
                queue_read_status(watch->queue, watcher->job_id, on_check,
                                  reading_of(watch, watcher->id));
            }
            if (watcher->failed) {
                watcher->failed = false;
                read_log(watch, watcher);
            } else if (positions_stale && !watcher->started) {
                queue_read_status(watch->queue, watcher->job_id, on_position,
                                  reading_of(watch, watcher->id));
            }
        }
    }
}

/* --- life -------------------------------------------------------------------------------- */

uint64_t watch_add(struct watch *watch, const char *job_id, const char *after,
                   watch_on_event *on_event, void *context)
{
    struct watcher *watcher = mem_alloc(sizeof *watcher);
    watcher->id = ++watch->last_id;
    snprintf(watcher->job_id, sizeof watcher->job_id, "%s", job_id);
    snprintf(watcher->after, sizeof watcher->after, "%s", after);
    watcher->on_event = on_event;
    watcher->context = context;
    list_append(&watch->buckets[watcher->id % BUCKETS], &watcher->node);
    read_log(watch, watcher);
    return watcher->id;
}

void watch_remove(struct watch *watch, uint64_t id)
{
    struct watcher *watcher = find(watch, id);
    if (watcher != NULL) {
        list_remove(&watcher->node);
        free(watcher);
    }
}

struct watch *watch_open(uv_loop_t *loop, struct queue *queue)
{
    struct watch *watch = mem_alloc(sizeof *watch);
    watch->queue = queue;
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_init(&watch->buckets[i]);
    }
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, on_timer, TICK_MS, TICK_MS);
    return watch;
}

void watch_close(struct watch *watch)
{
    if (!uv_is_closing((uv_handle_t *)&watch->timer)) {
        uv_close((uv_handle_t *)&watch->timer, NULL);
    }
}

void watch_finish(struct watch *watch)
{
    if (watch == NULL) {
        return;
    }
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (!list_empty(&watch->buckets[i])) {
            struct watcher *watcher = LIST_OBJECT(watch->buckets[i].next, struct watcher, node);
            list_remove(&watcher->node);
            free(watcher);
        }
    }
    free(watch);
}
