/* GET /api/limits: every limit that the page or a client needs to know. Loop thread only. */
#include "api/reply.h"
#include "api/routes.h"

#include <jansson.h>
#include <stdlib.h>

void limits_get(struct api *api, struct http_exchange *exchange, const char *job_id)
{
    (void)job_id;
    const struct conf *conf = api->conf;
    json_t *root = json_object();
    json_object_set_new(root, "codeBytes", json_integer(conf->code_bytes));
    json_object_set_new(root, "stdinBytes", json_integer(conf->stdin_bytes));
    json_object_set_new(root, "bodyBytes", json_integer(conf->body_bytes));
    json_object_set_new(root, "outputBytes", json_integer(conf->output_bytes));
    json_object_set_new(root, "droppedBytesMax", json_integer(conf->flood_bytes));
    json_object_set_new(root, "runMs", json_integer(conf->run_ms));
    json_object_set_new(root, "inputMs", json_integer(conf->input_ms));
    json_object_set_new(root, "memoryBytes", json_integer(conf->memory_bytes));
    json_object_set_new(root, "cpus", json_real(conf->cpu_millis / 1000.0));
    json_object_set_new(root, "processes", json_integer(conf->pids));
    json_object_set_new(root, "runsPerMinute", json_integer(conf->rate_limit));
    json_object_set_new(root, "concurrentRuns", json_integer(conf->slots));
    json_object_set_new(root, "queueMax", json_integer(conf->queue_max));
    json_object_set_new(root, "resultSeconds", json_integer(conf->job_ttl_s));
    json_object_set_new(root, "waitMs", json_integer(conf->wait_ms));
    json_object_set_new(root, "streamsPerClient", json_integer(conf->readers_per_client));
    json_object_set_new(root, "connectionsPerClient",
                        json_integer(conf->connections_per_client));
    json_object_set_new(root, "roomPeople", json_integer(conf->room_people));
    json_object_set_new(root, "roomBytes", json_integer(conf->room_bytes));
    json_object_set_new(root, "roomsPerMinute", json_integer(conf->rooms_per_minute));
    json_object_set_new(root, "messageBytes", json_integer(conf->message_bytes));
    json_object_set_new(root, "roomSeconds", json_integer(conf->room_ttl_s));
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(root);
    reply_json(exchange, 200, view_of(text));
    free(text);
}
