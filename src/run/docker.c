/* See docker.h. Runs on slot threads; each owns its `struct docker` and with it one kept-alive
 * connection, besides one connection a container that is attached.
 *
 * What can go wrong, and what becomes of it: the Engine restarts (the next call fails or finds
 * a new connection; the slot negotiates again); it hangs (the call's deadline); it dies while
 * /wait is open (HTTP 200 and a cut body, which means "unknown": inspect and ask again). */
#include "run/docker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

/* The range of API versions 1.x that we speak. Engines that have dropped 1.43 are addressed in
 * the oldest one that they still know: what we use has not changed since. */
#define API_MINOR_MIN 41
#define API_MINOR_MAX 43

enum deadline_ms {
    PING_MS = 3000,
    CREATE_MS = 5000,
    START_MS = 10000,
    KILL_MS = 3000,
    REMOVE_MS = 10000,
    LIST_MS = 5000,
    INSPECT_MS = 3000,
    ATTACH_MS = 3000,
};

struct docker {
    CURL *curl;
    char *socket_path;
    struct curl_slist *json_headers;
    struct buf answer;
    int api_minor;
};

struct docker_attach {
    CURL *curl;
    curl_socket_t fd;
};

bool docker_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK;
}

void docker_global_finish(void)
{
    curl_global_cleanup();
}

/* --- answers as data ---------------------------------------------------------------------- */

static json_t *parse_json(struct view body)
{
    return json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
}

static bool bad_answer(struct err *err, const char *call)
{
    return err_set(err, "bad_answer", "the Docker Engine's answer is not understood (%s)",
                   call);
}

/* "1.41" -> 41; -1 if it is no such version. */
static int parse_minor(const json_t *text)
{
    int minor = -1;
    int used = 0;
    const char *value = json_string_value(text);
    if (value == NULL || sscanf(value, "1.%3d%n", &minor, &used) != 1 || value[used] != '\0') {
        return -1;
    }
    return minor;
}

bool docker_parse_version(struct view body, int *api_minor, struct err *err)
{
    json_t *root = parse_json(body);
    int newest = parse_minor(json_object_get(root, "ApiVersion"));
    int oldest = parse_minor(json_object_get(root, "MinAPIVersion"));
    json_decref(root);
    if (newest < 0) {
        return bad_answer(err, "version");
    }
    if (newest < API_MINOR_MIN) {
        return err_set(err, "engine_refused",
                       "the Docker Engine speaks API 1.%d; at least 1.%d is needed", newest,
                       API_MINOR_MIN);
    }
    *api_minor = newest < API_MINOR_MAX ? newest : API_MINOR_MAX;
    if (oldest > *api_minor) {
        *api_minor = oldest;
    }
    return true;
}

static bool copy_id(const json_t *value, char id[DOCKER_ID_LEN + 1])
{
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != DOCKER_ID_LEN ||
        strspn(text, "0123456789abcdef") != DOCKER_ID_LEN) {
        return false;
    }
    memcpy(id, text, DOCKER_ID_LEN + 1);
    return true;
}

static void join_warnings(const json_t *warnings, char *text, size_t text_bytes)
{
    size_t len = 0;
    size_t i;
    const json_t *warning;
    text[0] = '\0';
    json_array_foreach((json_t *)(uintptr_t)warnings, i, warning)
    {
        const char *sentence = json_string_value(warning);
        if (sentence != NULL && len < text_bytes - 1) {
            int more =
                snprintf(text + len, text_bytes - len, "%s%s", len > 0 ? "\n" : "", sentence);
            len += more > 0 ? (size_t)more : 0;
        }
    }
}

bool docker_parse_created(struct view body, struct docker_created *created, struct err *err)
{
    json_t *root = parse_json(body);
    bool ok = copy_id(json_object_get(root, "Id"), created->id);
    if (ok) {
        join_warnings(json_object_get(root, "Warnings"), created->warnings,
                      sizeof created->warnings);
    }
    json_decref(root);
    return ok || bad_answer(err, "create");
}

bool docker_parse_state(struct view body, struct docker_state *state, struct err *err)
{
    json_t *root = parse_json(body);
    const json_t *found = json_object_get(root, "State");
    const json_t *running = json_object_get(found, "Running");
    const json_t *oom_killed = json_object_get(found, "OOMKilled");
    const json_t *exit_code = json_object_get(found, "ExitCode");
    bool ok = json_is_boolean(running) && json_is_boolean(oom_killed) &&
              json_is_integer(exit_code) && json_integer_value(exit_code) >= 0 &&
              json_integer_value(exit_code) <= INT32_MAX;
    if (ok) {
        *state = (struct docker_state){
            .running = json_is_true(running),
            .oom_killed = json_is_true(oom_killed),
            .exit_code = (int)json_integer_value(exit_code),
        };
    }
    json_decref(root);
    return ok || bad_answer(err, "inspect");
}

static bool parse_listed(const json_t *item, struct docker_listed *listed)
{
    const json_t *labels = json_object_get(item, "Labels");
    const char *worker = json_string_value(json_object_get(labels, "vve.worker"));
    bool fits = worker != NULL && strlen(worker) < sizeof listed->worker;
    snprintf(listed->worker, sizeof listed->worker, "%s", fits ? worker : "");
    return copy_id(json_object_get(item, "Id"), listed->id);
}

bool docker_parse_list(struct view body, struct docker_list *list, struct err *err)
{
    json_t *root = parse_json(body);
    bool ok = json_is_array(root);
    size_t count = json_array_size(root);
    list->count = 0;
    while (ok && list->count < count && list->count < DOCKER_LIST_MAX) {
        ok = parse_listed(json_array_get(root, list->count), &list->items[list->count]);
        list->count += ok ? 1 : 0;
    }
    json_decref(root);
    return ok || bad_answer(err, "list");
}

void docker_parse_message(struct view body, char *text, size_t text_bytes)
{
    json_t *root = parse_json(body);
    const char *message = json_string_value(json_object_get(root, "message"));
    snprintf(text, text_bytes, "%s", message != NULL ? message : "no reason given");
    json_decref(root);
}

/* --- calls -------------------------------------------------------------------------------- */

struct call {
    const char *method;
    const char *path; /* behind the version, or the whole path if `unversioned` */
    const char *body; /* NULL: none */
    long timeout_ms;
    bool unversioned;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *answer = context;
    return buf_append(answer, bytes, size * count) ? size * count : 0;
}

/* Options that hold for every connection to the Engine. */
static void set_common(CURL *curl, const char *socket_path)
{
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

struct docker *docker_create(const char *socket_path)
{
    struct docker *docker = mem_alloc(sizeof *docker);
    docker->socket_path = mem_string(socket_path);
    docker->api_minor = API_MINOR_MIN;
    buf_init(&docker->answer, DOCKER_ANSWER_MAX_BYTES);
    docker->curl = curl_easy_init();
    docker->json_headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (docker->curl == NULL || docker->json_headers == NULL) {
        abort(); /* the daemon stops when memory ends */
    }
    set_common(docker->curl, socket_path);
    curl_easy_setopt(docker->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(docker->curl, CURLOPT_WRITEDATA, &docker->answer);
    return docker;
}

void docker_destroy(struct docker *docker)
{
    if (docker != NULL) {
        curl_easy_cleanup(docker->curl);
        curl_slist_free_all(docker->json_headers);
        buf_finish(&docker->answer);
        free(docker->socket_path);
        free(docker);
    }
}

static void prepare(struct docker *docker, const struct call *call)
{
    CURL *curl = docker->curl;
    char url[512];
    if (call->unversioned) {
        snprintf(url, sizeof url, "http://docker%s", call->path);
    } else {
        snprintf(url, sizeof url, "http://docker/v1.%d%s", docker->api_minor, call->path);
    }
    buf_clear(&docker->answer);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, call->timeout_ms);
    bool post = strcmp(call->method, "POST") == 0;
    curl_easy_setopt(curl, post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    if (post) {
        const char *body = call->body != NULL ? call->body : "";
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, docker->json_headers);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, post ? NULL : call->method);
}

/* Returns the HTTP status of a whole answer, whose body then lies in docker->answer; 0 and
 * `err` if there was none. */
static long perform(struct docker *docker, const struct call *call, struct err *err)
{
    prepare(docker, call);
    CURLcode code = curl_easy_perform(docker->curl);
    if (code == CURLE_WRITE_ERROR) {
        return bad_answer(err, call->path), 0;
    }
    if (code != CURLE_OK) {
        err_set(err, "engine_down", "the Docker Engine does not answer (%s %.24s): %s",
                call->method, call->path, curl_easy_strerror(code));
        return 0;
    }
    long status = 0;
    curl_easy_getinfo(docker->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool refused(struct docker *docker, long status, struct err *err)
{
    char message[160];
    docker_parse_message(buf_view(&docker->answer), message, sizeof message);
    return err_set(err, status == 404 ? "not_found" : "engine_refused",
                   "the Docker Engine refused (HTTP %ld): %s", status, message);
}

/* Performs a call that must be answered by `expected`, or by one of `also` (0: none), which
 * mean that what was asked for is so already. */
static bool request(struct docker *docker, const struct call *call, long expected,
                    const long also[2], struct err *err)
{
    long status = perform(docker, call, err);
    if (status == 0) {
        return false;
    }
    if (status == expected || (also != NULL && (status == also[0] || status == also[1]))) {
        return true;
    }
    return refused(docker, status, err);
}

bool docker_ping(struct docker *docker, struct err *err)
{
    struct call call = {"GET", "/_ping", NULL, PING_MS, true};
    return request(docker, &call, 200, NULL, err);
}

bool docker_negotiate(struct docker *docker, struct err *err)
{
    struct call call = {"GET", "/version", NULL, PING_MS, true};
    return request(docker, &call, 200, NULL, err) &&
           docker_parse_version(buf_view(&docker->answer), &docker->api_minor, err);
}

bool docker_container_create(struct docker *docker, const char *body,
                             struct docker_created *created, struct err *err)
{
    struct call call = {"POST", "/containers/create", body, CREATE_MS, false};
    return request(docker, &call, 201, NULL, err) &&
           docker_parse_created(buf_view(&docker->answer), created, err);
}

/* POST or DELETE on one container. */
static bool container_request(struct docker *docker, const char *method, const char *id,
                              const char *action, long timeout_ms, const long also[2],
                              struct err *err)
{
    char path[160];
    snprintf(path, sizeof path, "/containers/%.64s%s", id, action);
    struct call call = {method, path, NULL, timeout_ms, false};
    return request(docker, &call, 204, also, err);
}

bool docker_container_start(struct docker *docker, const char *id, struct err *err)
{
    return container_request(docker, "POST", id, "/start", START_MS, NULL, err);
}

bool docker_container_kill(struct docker *docker, const char *id, struct err *err)
{
    static const long dead_already[] = {404, 409};
    return container_request(docker, "POST", id, "/kill?signal=KILL", KILL_MS, dead_already,
                             err);
}

bool docker_container_remove(struct docker *docker, const char *id, struct err *err)
{
    static const long gone_already[] = {404, 409}; /* 409: somebody is removing it */
    return container_request(docker, "DELETE", id, "?force=true&v=true", REMOVE_MS,
                             gone_already, err);
}

bool docker_container_inspect(struct docker *docker, const char *id, struct docker_state *state,
                              struct err *err)
{
    char path[160];
    snprintf(path, sizeof path, "/containers/%.64s/json", id);
    struct call call = {"GET", path, NULL, INSPECT_MS, false};
    return request(docker, &call, 200, NULL, err) &&
           docker_parse_state(buf_view(&docker->answer), state, err);
}

/* False: it runs, or that is not known. */
static bool is_dead(struct docker *docker, const char *id, struct err *err)
{
    struct docker_state state;
    struct err why = {0};
    if (docker_container_inspect(docker, id, &state, &why)) {
        return !state.running ||
               err_set(err, "engine_down", "a container does not end: %.12s", id);
    }
    if (why.code != NULL && strcmp(why.code, "not_found") == 0) {
        return true;
    }
    return err_set(err, why.code, "%s", why.text);
}

bool docker_container_wait(struct docker *docker, const char *id, int timeout_ms,
                           struct err *err)
{
    int64_t give_up_at = clock_mono_ms() + timeout_ms;
    char path[160];
    snprintf(path, sizeof path, "/containers/%.64s/wait?condition=not-running", id);
    for (int64_t left = timeout_ms; left > 0; left = give_up_at - clock_mono_ms()) {
        /* The status line comes at once and the body at the end: only a whole body counts. */
        struct call call = {"POST", path, NULL, (long)left, false};
        long status = perform(docker, &call, NULL);
        if (status == 404 || (status == 200 && docker->answer.len > 0)) {
            return true;
        }
        if (is_dead(docker, id, err)) {
            return true;
        }
        if (status != 200) {
            return false; /* time is up or the Engine is away: the caller knows what then */
        }
    }
    return is_dead(docker, id, err);
}

bool docker_list(struct docker *docker, struct docker_list *list, struct err *err)
{
    /* filters={"label":["vve=1"]} */
    struct call call = {"GET",
                        "/containers/json?all=true&limit=512"
                        "&filters=%7B%22label%22%3A%5B%22vve%3D1%22%5D%7D",
                        NULL, LIST_MS, false};
    return request(docker, &call, 200, NULL, err) &&
           docker_parse_list(buf_view(&docker->answer), list, err);
}

/* --- attach ------------------------------------------------------------------------------- */

static bool connect_only(struct docker_attach *attach, struct err *err)
{
    curl_easy_setopt(attach->curl, CURLOPT_URL, "http://docker/");
    curl_easy_setopt(attach->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(attach->curl, CURLOPT_TIMEOUT_MS, (long)ATTACH_MS);
    CURLcode code = curl_easy_perform(attach->curl);
    if (code == CURLE_OK) {
        code = curl_easy_getinfo(attach->curl, CURLINFO_ACTIVESOCKET, &attach->fd);
    }
    if (code != CURLE_OK || attach->fd == CURL_SOCKET_BAD) {
        return err_set(err, "engine_down", "the Docker Engine cannot be reached: %s",
                       curl_easy_strerror(code));
    }
    return true;
}

static bool send_attach(int fd, int api_minor, const char *id, struct err *err)
{
    char head[320];
    int len = snprintf(head, sizeof head,
                       "POST /v1.%d/containers/%.64s/attach?stream=1&stdin=1&stdout=1&stderr=1 "
                       "HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                       "Content-Length: 0\r\n\r\n",
                       api_minor, id);
    /* A fresh socket's buffer takes so little whole, or the Engine is not well. */
    if (send(fd, head, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) {
        return err_set(err, "engine_down", "the Docker Engine takes no request: %s",
                       strerrordesc_np(errno));
    }
    return true;
}

struct docker_attach *docker_attach(struct docker *docker, const char *id, struct err *err)
{
    struct docker_attach *attach = mem_alloc(sizeof *attach);
    attach->fd = CURL_SOCKET_BAD;
    attach->curl = curl_easy_init();
    if (attach->curl == NULL) {
        abort(); /* the daemon stops when memory ends */
    }
    set_common(attach->curl, docker->socket_path);
    if (!connect_only(attach, err) || !send_attach(attach->fd, docker->api_minor, id, err)) {
        docker_attach_close(attach);
        return NULL;
    }
    return attach;
}

int docker_attach_fd(const struct docker_attach *attach)
{
    return attach->fd;
}

void docker_attach_close(struct docker_attach *attach)
{
    if (attach != NULL) {
        curl_easy_cleanup(attach->curl);
        free(attach);
    }
}
