/* See reaper.h. Loop thread only. One look is a chain of commands; each step carries what it is
 * about in a struct of its own, freed when Redis has answered, or has not. */
#include "run/reaper.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/command.h"
#include "run/job.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY_MS 2000
#define FIRST_LOOK_MS 500
#define NAME_MAX_BYTES (KEY_MAX / 2)

struct reaper {
    const struct conf *conf;
    struct redis *redis;
    uv_timer_t timer;
};

struct step {
    struct reaper *reaper;
    char worker[KEY_MAX];
    char job_id[ID_UUID_LEN + 1]; /* "": about no job */
};

static void issue(struct reaper *reaper, const struct command *command,
                  redis_on_reply *on_reply, const char *worker, const char *job_id)
{
    struct step *step = mem_alloc(sizeof *step);
    step->reaper = reaper;
    snprintf(step->worker, sizeof step->worker, "%s", worker);
    snprintf(step->job_id, sizeof step->job_id, "%s", job_id);
    assert(command_complete(command));
    redis_command(reaper->redis, on_reply, step, command->count, command->arguments);
}

static bool is_a(const redisReply *reply, int type)
{
    return reply != NULL && reply->type == type;
}

static void on_retired(const redisReply *reply, void *context)
{
    struct step *step = context;
    if (is_a(reply, REDIS_REPLY_INTEGER) && reply->integer == 1) {
        log_info("queue.worker_gone worker=%s", step->worker);
    }
    free(step);
}

/* Forgets the worker, unless it has come back or there is still work. */
static void retire(struct reaper *reaper, const char *worker)
{
    struct command command;
    command_begin_script(&command, &script_retire);
    command_key(&command, key_taken(worker));
    command_text(&command, SCRIPT_WORKERS);
    command_key(&command, key_worker(worker));
    command_text(&command, worker);
    issue(reaper, &command, on_retired, worker, "");
}

static void on_given_back(const redisReply *reply, void *context)
{
    struct step *step = context;
    if (is_a(reply, REDIS_REPLY_STRING)) {
        log_info("queue.reaped worker=%s job=%s outcome=%s", step->worker, step->job_id,
                 reply->str);
    }
    free(step);
}

static void drop_unreadable(struct reaper *reaper, const char *worker, struct view entry)
{
    log_warn("queue.refused worker=%s reason=\"entry cannot be parsed\"", worker);
    struct command command;
    command_begin(&command, "LREM");
    command_key(&command, key_taken(worker));
    command_text(&command, "1");
    command_add(&command, entry);
    issue(reaper, &command, on_given_back, worker, "");
}

static void give_back(struct reaper *reaper, const char *worker, struct view entry)
{
    struct job_limits limits = {JOB_ENTRY_MAX_BYTES, JOB_ENTRY_MAX_BYTES};
    struct job job;
    if (!job_parse_entry(entry, &limits, &job, NULL)) {
        drop_unreadable(reaper, worker, entry);
        return;
    }
    struct job_ends ends = job_format_ends(&job, clock_wall_ms());
    struct command command;
    command_begin_give_back(&command, &(struct command_give_back){
                                          .id = job.id,
                                          .worker = worker,
                                          .entry = entry,
                                          .used_attempt = true,
                                          .only_if_dead = true,
                                          .ends = &ends,
                                          .ttl_s = reaper->conf->job_ttl_s,
                                      });
    issue(reaper, &command, on_given_back, worker, job.id);
    job_ends_finish(&ends);
    job_finish(&job);
}

static void on_taken(const redisReply *reply, void *context)
{
    struct step *step = context;
    if (is_a(reply, REDIS_REPLY_ARRAY)) {
        for (size_t i = reply->elements; i-- > 0;) { /* the last taken first: order is kept */
            const redisReply *entry = reply->element[i];
            if (is_a(entry, REDIS_REPLY_STRING)) {
                give_back(step->reaper, step->worker,
                          (struct view){entry->str, (size_t)entry->len});
            }
        }
        retire(step->reaper, step->worker);
    }
    free(step);
}

static void on_heartbeat(const redisReply *reply, void *context)
{
    struct step *step = context;
    if (is_a(reply, REDIS_REPLY_INTEGER) && reply->integer == 0) {
        struct command command;
        command_begin(&command, "LRANGE");
        command_key(&command, key_taken(step->worker));
        command_text(&command, "0");
        command_text(&command, "-1");
        issue(step->reaper, &command, on_taken, step->worker, "");
    }
    free(step);
}

static void on_workers(const redisReply *reply, void *context)
{
    struct step *step = context;
    for (size_t i = 0; is_a(reply, REDIS_REPLY_ARRAY) && i < reply->elements; i++) {
        const redisReply *name = reply->element[i];
        if (!is_a(name, REDIS_REPLY_STRING)) {
            continue;
        }
        struct command command;
        if (name->len < NAME_MAX_BYTES && strlen(name->str) == (size_t)name->len) {
            command_begin(&command, "EXISTS");
            command_key(&command, key_worker(name->str));
            issue(step->reaper, &command, on_heartbeat, name->str, "");
        } else { /* no name of ours */
            command_begin(&command, "SREM");
            command_text(&command, SCRIPT_WORKERS);
            command_add(&command, (struct view){name->str, (size_t)name->len});
            issue(step->reaper, &command, on_retired, "?", "");
        }
    }
    free(step);
}

static void on_timer(uv_timer_t *timer)
{
    struct reaper *reaper = timer->data;
    if (redis_settled(reaper->redis)) {
        struct command command;
        command_begin(&command, "SMEMBERS");
        command_text(&command, SCRIPT_WORKERS);
        issue(reaper, &command, on_workers, "", "");
    }
}

struct reaper *reaper_open(const struct conf *conf, uv_loop_t *loop, struct redis *redis)
{
    struct reaper *reaper = mem_alloc(sizeof *reaper);
    *reaper = (struct reaper){.conf = conf, .redis = redis};
    uv_timer_init(loop, &reaper->timer);
    reaper->timer.data = reaper;
    uv_timer_start(&reaper->timer, on_timer, FIRST_LOOK_MS, LOOK_EVERY_MS);
    return reaper;
}

void reaper_close(struct reaper *reaper)
{
    uv_close((uv_handle_t *)&reaper->timer, NULL);
}

void reaper_finish(struct reaper *reaper)
{
    free(reaper);
}
