/* See job.h. Pure; any thread. */
#include "run/job.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>

#define BY_MAX_CHARACTERS 64
#define ROOM_ID_MAX 64

static const char *const state_names[] = {
    "queued",    "running",       "completed", "failed",
    "timed_out", "out_of_memory", "cancelled", "error",
};

const char *job_state_name(enum job_state state)
{
    return state_names[state];
}

bool job_state_parse(const char *name, enum job_state *state)
{
    for (unsigned i = 0; i < sizeof state_names / sizeof state_names[0]; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *state = (enum job_state)i;
            return true;
        }
    }
    return false;
}

void job_finish(struct job *job)
{
    free(job->code);
    free(job->stdin_text);
    free(job->room_id);
    free(job->by);
    *job = (struct job){0};
}

/* --- parsing ----------------------------------------------------------------------------- */

/* The known field whose name stands last before `position`: jansson refuses bad Unicode while
 * it still reads, and the sender wants to know where to look. */
static const char *field_before(struct view body, size_t position)
{
    static const char *const fields[] = {"code", "sourceCode", "stdin",   "data",
                                         "by",   "roomId",     "language"};
    const char *found = NULL;
    size_t best = 0;
    size_t end = position < body.len ? position : body.len;
    for (unsigned f = 0; f < sizeof fields / sizeof fields[0]; f++) {
        size_t len = strlen(fields[f]);
        for (size_t at = 1; at + len + 1 <= end; at++) {
            if (body.at[at - 1] == '"' && body.at[at + len] == '"' && at >= best &&
                memcmp(body.at + at, fields[f], len) == 0) {
                best = at;
                found = fields[f];
            }
        }
    }
    return found;
}

static json_t *load_object(struct view text, struct err *err)
{
    json_error_t why;
    json_t *root = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (root == NULL) {
        const char *field = field_before(text, (size_t)why.position);
        bool unicode = json_error_code(&why) == json_error_invalid_utf8 ||
                       strstr(why.text, "invalid Unicode") != NULL;
        if (unicode && field != NULL) {
            err_set(err, "bad_field", "\"%s\" holds text that is not valid Unicode.", field);
        } else {
            err_set(err, "bad_json", "The body is not valid JSON: %.120s (line %d, column %d).",
                    why.text, why.line, why.column);
        }
        return NULL;
    }
    if (!json_is_object(root)) {
        json_decref(root);
        err_set(err, "bad_json", "The body must be a JSON object.");
        return NULL;
    }
    return root;
}

/* Copies the string `name`; NULL is a legal value for an optional field. */
static bool read_text(const json_t *root, const char *name, bool required, char **out,
                      struct err *err)
{
    const json_t *value = json_object_get(root, name);
    if (value == NULL || (json_is_null(value) && !required)) {
        return !required || err_set(err, "bad_field", "\"%s\" is missing.", name);
    }
    if (!json_is_string(value)) {
        return err_set(err, "bad_field", "\"%s\" must be a string.", name);
    }
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (memchr(text, '\0', len) != NULL) {
        return err_set(err, "bad_field", "\"%s\" must not hold a NUL character.", name);
    }
    *out = mem_copy(text, len);
    return true;
}

/* Missing and null are false. */
static bool read_flag(const json_t *root, const char *name, bool *out, struct err *err)
{
    const json_t *value = json_object_get(root, name);
    *out = json_is_true(value);
    return value == NULL || json_is_null(value) || json_is_boolean(value) ||
           err_set(err, "bad_field", "\"%s\" must be true or false.", name);
}

static bool check_size(const char *text, const char *name, const char *code, size_t max_bytes,
                       struct err *err)
{
    size_t len = text != NULL ? strlen(text) : 0;
    return len <= max_bytes ||
           err_set(err, code, "\"%s\" is %zu bytes of UTF-8; the limit is %zu.", name, len,
                   max_bytes);
}

static bool check_language(const json_t *root, struct err *err)
{
    const json_t *value = json_object_get(root, "language");
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (!json_is_string(value)) {
        return err_set(err, "bad_field", "\"language\" must be a string.");
    }
    return strcmp(json_string_value(value), "python") == 0 ||
           err_set(err, "unknown_language", "\"language\" must be \"python\".");
}

static bool room_id_valid(const char *id)
{
    size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return id[len] == '\0' && len >= 1 && len <= ROOM_ID_MAX;
}

static size_t characters(const char *utf8)
{
    size_t count = 0;
    for (; *utf8 != '\0'; utf8++) {
        count += ((unsigned char)*utf8 & 0xc0) != 0x80;
    }
    return count;
}

static bool check_by(const char *by, struct err *err)
{
    return by == NULL || characters(by) <= BY_MAX_CHARACTERS ||
           err_set(err, "bad_field", "\"by\" must be at most %d characters.",
                   BY_MAX_CHARACTERS);
}

/* The fields that a request and a queue entry share. */
static bool read_fields(const json_t *root, const char *code_name,
                        const struct job_limits *limits, struct job *job, struct err *err)
{
    if (!check_language(root, err) || !read_text(root, code_name, true, &job->code, err) ||
        !read_text(root, "stdin", false, &job->stdin_text, err) ||
        !read_text(root, "roomId", false, &job->room_id, err) ||
        !read_text(root, "by", false, &job->by, err)) {
        return false;
    }
    if (!read_flag(root, "interactive", &job->interactive, err)) {
        return false;
    }
    if (job->room_id != NULL && !room_id_valid(job->room_id)) {
        return err_set(err, "bad_field",
                       "\"roomId\" must be 1 to %d letters, digits, '_' or '-'.", ROOM_ID_MAX);
    }
    return check_by(job->by, err) &&
           check_size(job->code, code_name, "code_too_large", limits->code_bytes, err) &&
           check_size(job->stdin_text, "stdin", "stdin_too_large", limits->stdin_bytes, err);
}

bool job_parse_request(struct view body, const struct job_limits *limits, struct job *job,
                       struct err *err)
{
    *job = (struct job){0};
    json_t *root = load_object(body, err);
    bool ok = root != NULL && read_fields(root, "code", limits, job, err);
    json_decref(root);
    if (!ok) {
        job_finish(job);
    }
    return ok;
}

static bool read_identity(const json_t *root, struct job *job, struct err *err)
{
    const char *id = json_string_value(json_object_get(root, "jobId"));
    if (id == NULL || !id_is_uuid(id)) {
        return err_set(err, "bad_field", "\"jobId\" must be a version 4 UUID in lower case.");
    }
    memcpy(job->id, id, sizeof job->id);
    const json_t *at = json_object_get(root, "submittedAt");
    if (!json_is_integer(at) || json_integer_value(at) < 0) {
        return err_set(err, "bad_field",
                       "\"submittedAt\" must be milliseconds since the epoch.");
    }
    job->submitted_at = json_integer_value(at);
    return true;
}

bool job_parse_entry(struct view entry, const struct job_limits *limits, struct job *job,
                     struct err *err)
{
    *job = (struct job){0};
    if (entry.len > JOB_ENTRY_MAX_BYTES) {
        return err_set(err, "bad_json", "The entry is larger than %zu bytes.",
                       JOB_ENTRY_MAX_BYTES);
    }
    json_t *root = load_object(entry, err);
    bool ok = root != NULL && read_identity(root, job, err) &&
              read_fields(root, "sourceCode", limits, job, err);
    json_decref(root);
    if (!ok) {
        job_finish(job);
    }
    return ok;
}

bool job_read_identity(struct view entry, struct job *job)
{
    json_t *root = entry.len <= JOB_ENTRY_MAX_BYTES ? load_object(entry, NULL) : NULL;
    bool ok = root != NULL && read_identity(root, job, NULL);
    json_decref(root);
    if (!ok) {
        *job = (struct job){0};
    }
    return ok;
}

static bool read_input(const json_t *root, const struct job_limits *limits,
                       struct job_input *input, struct err *err)
{
    if (!read_text(root, "data", true, &input->text, err) ||
        !read_text(root, "by", false, &input->by, err) ||
        !read_flag(root, "end", &input->is_last, err)) {
        return false;
    }
    if (input->text[0] == '\0' && !input->is_last) {
        return err_set(err, "bad_field", "\"data\" is empty; only the end may be.");
    }
    return check_by(input->by, err) &&
           check_size(input->text, "data", "stdin_too_large", limits->stdin_bytes, err);
}

bool job_parse_input(struct view body, const struct job_limits *limits, struct job_input *input,
                     struct err *err)
{
    *input = (struct job_input){0};
    json_t *root = load_object(body, err);
    bool ok = root != NULL && read_input(root, limits, input, err);
    json_decref(root);
    if (!ok) {
        job_input_finish(input);
    }
    return ok;
}

void job_input_finish(struct job_input *input)
{
    free(input->text);
    free(input->by);
    *input = (struct job_input){0};
}

/* --- formatting -------------------------------------------------------------------------- */

static char *dump(json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL) {
        abort(); /* only for want of memory: everything we format is valid UTF-8 */
    }
    return text;
}

static json_t *text_or_null(struct view text)
{
    return text.at != NULL ? json_stringn(text.at, text.len) : json_null();
}

static json_t *string_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t ms)
{
    return ms > 0 ? json_integer(ms) : json_null();
}

char *job_format_entry(const struct job *job)
{
    json_t *root = json_object();
    json_object_set_new(root, "jobId", json_string(job->id));
    json_object_set_new(root, "sourceCode", json_string(job->code));
    json_object_set_new(root, "language", json_string("python"));
    json_object_set_new(root, "submittedAt", json_integer(job->submitted_at));
    const struct {
        const char *name;
        const char *text;
    } optional[] = {{"stdin", job->stdin_text}, {"roomId", job->room_id}, {"by", job->by}};
    for (unsigned i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        if (optional[i].text != NULL) {
            json_object_set_new(root, optional[i].name, json_string(optional[i].text));
        }
    }
    if (job->interactive) {
        json_object_set_new(root, "interactive", json_true());
    }
    return dump(root);
}

static json_t *error_object(const char *code, const char *text)
{
    if (code == NULL) {
        return json_null();
    }
    json_t *error = json_object();
    json_object_set_new(error, "code", json_string(code));
    json_object_set_new(error, "message", string_or_null(text));
    return error;
}

char *job_format_status(const struct job *job, const struct job_result *result)
{
    bool final = job_state_final(result->state);
    json_t *root = json_object();
    json_object_set_new(root, "jobId", json_string(job->id));
    json_object_set_new(root, "status", json_string(job_state_name(result->state)));
    json_object_set_new(root, "language", json_string("python"));
    json_object_set_new(root, "submittedAt", json_integer(job->submitted_at));
    json_object_set_new(root, "startedAt", time_or_null(result->started_at));
    json_object_set_new(root, "finishedAt", time_or_null(result->finished_at));
    json_object_set_new(root, "position", json_null());
    json_object_set_new(root, "waiting", json_false());
    json_object_set_new(root, "output", text_or_null(result->output));
    json_object_set_new(root, "stdout", text_or_null(result->out));
    json_object_set_new(root, "stderr", text_or_null(result->err));
    json_object_set_new(root, "truncated", json_boolean(result->dropped_bytes > 0));
    json_object_set_new(root, "droppedBytes", json_integer(result->dropped_bytes));
    json_object_set_new(root, "exitCode",
                        result->has_exit_code ? json_integer(result->exit_code) : json_null());
    json_object_set_new(root, "signal", string_or_null(result->signal));
    json_object_set_new(root, "wallMs", final ? json_integer(result->wall_ms) : json_null());
    json_object_set_new(root, "cpuMs", final ? json_integer(result->cpu_ms) : json_null());
    json_object_set_new(root, "memoryBytes",
                        final ? json_integer(result->memory_bytes) : json_null());
    json_object_set_new(root, "error", error_object(result->error_code, result->error_text));
    return dump(root);
}

struct job_ends job_format_ends(const struct job *job, int64_t now)
{
    struct view none = view_of("");
    struct job_result result = {.state = JOB_QUEUED};
    struct job_ends ends = {.queued = job_format_status(job, &result)};
    result = (struct job_result){
        .state = JOB_CANCELLED, .finished_at = now, .output = none, .out = none, .err = none};
    ends.cancelled = job_format_status(job, &result);
    result.state = JOB_ERROR;
    result.error_code = "runner_lost";
    result.error_text = "The server restarted while this ran. Run it again.";
    ends.error = job_format_status(job, &result);
    return ends;
}

void job_ends_finish(struct job_ends *ends)
{
    free(ends->queued);
    free(ends->error);
    free(ends->cancelled);
    *ends = (struct job_ends){0};
}

char *job_format_output(const char *stream, struct view text)
{
    json_t *root = json_object();
    json_object_set_new(root, "stream", json_string(stream));
    json_object_set_new(root, "text", text_or_null(text));
    return dump(root);
}

char *job_format_input(const struct job_input *input)
{
    json_t *root = json_object();
    json_object_set_new(root, "text", json_string(input->text));
    json_object_set_new(root, "by", string_or_null(input->by));
    json_object_set_new(root, "end", json_boolean(input->is_last));
    return dump(root);
}

/* --- changing a stored status ------------------------------------------------------------ */

static json_t *load_status(struct view status)
{
    json_t *root = json_loadb(status.at, status.len, JSON_ALLOW_NUL, NULL);
    if (root != NULL && !json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

char *job_status_with_position(struct view status, int64_t position)
{
    json_t *root = load_status(status);
    if (root == NULL) {
        return NULL;
    }
    json_object_set_new(root, "position", json_integer(position));
    return dump(root);
}

char *job_status_cancelled(struct view status, int64_t finished_at)
{
    json_t *root = load_status(status);
    if (root == NULL) {
        return NULL;
    }
    json_object_set_new(root, "status", json_string(job_state_name(JOB_CANCELLED)));
    json_object_set_new(root, "finishedAt", json_integer(finished_at));
    json_object_set_new(root, "position", json_null());
    static const char *const texts[] = {"output", "stdout", "stderr"};
    for (int i = 0; i < 3; i++) {
        if (!json_is_string(json_object_get(root, texts[i]))) {
            json_object_set_new(root, texts[i], json_string(""));
        }
    }
    static const char *const figures[] = {"wallMs", "cpuMs", "memoryBytes"};
    for (int i = 0; i < 3; i++) {
        if (!json_is_integer(json_object_get(root, figures[i]))) {
            json_object_set_new(root, figures[i], json_integer(0));
        }
    }
    return dump(root);
}

void job_transcript_init(struct job_transcript *transcript, size_t max_bytes)
{
    buf_init(&transcript->output, max_bytes);
    buf_init(&transcript->out, max_bytes);
    buf_init(&transcript->err, max_bytes);
}

void job_transcript_finish(struct job_transcript *transcript)
{
    buf_finish(&transcript->output);
    buf_finish(&transcript->out);
    buf_finish(&transcript->err);
}

void job_transcript_add(struct job_transcript *transcript, struct view output_event)
{
    json_t *root = load_status(output_event);
    const char *stream = json_string_value(json_object_get(root, "stream"));
    const json_t *text = json_object_get(root, "text");
    if (stream != NULL && json_is_string(text)) {
        const char *bytes = json_string_value(text);
        size_t len = json_string_length(text);
        buf_append(&transcript->output, bytes, len);
        buf_append(strcmp(stream, "stderr") == 0 ? &transcript->err : &transcript->out, bytes,
                   len);
    }
    json_decref(root);
}

char *job_status_with_transcript(struct view status, const struct job_transcript *transcript,
                                 bool waiting)
{
    json_t *root = load_status(status);
    if (root == NULL) {
        return NULL;
    }
    json_object_set_new(root, "output", text_or_null(buf_view(&transcript->output)));
    json_object_set_new(root, "stdout", text_or_null(buf_view(&transcript->out)));
    json_object_set_new(root, "stderr", text_or_null(buf_view(&transcript->err)));
    json_object_set_new(root, "waiting", json_boolean(waiting));
    return dump(root);
}
