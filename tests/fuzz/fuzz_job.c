/* The job's JSON, as a request, as a queue entry and as live input: what parses must survive being
 * written and parsed again, and stay within its limits. The first byte chooses between the first two. */
#include "base/utf8.h"
#include "run/job.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct job_limits limits = {5120, 5120};

static void check_limits(const struct job *job)
{
    assert(strlen(job->code) <= limits.code_bytes);
    assert(job->stdin_text == NULL || strlen(job->stdin_text) <= limits.stdin_bytes);
    assert(job->room_id == NULL || strlen(job->room_id) <= 64);
}

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void check_round_trip(struct job *job)
{
    if (job->id[0] == '\0') {
        id_uuid(job->id);
    }
    char *entry = job_format_entry(job);
    struct job again;
    struct err err;
    assert(job_parse_entry(view_of(entry), &limits, &again, &err));
    assert(same_text(job->code, again.code) && same_text(job->stdin_text, again.stdin_text));
    assert(same_text(job->by, again.by) && same_text(job->room_id, again.room_id));
    assert(job->submitted_at == again.submitted_at && job->interactive == again.interactive);
    free(entry);
    job_finish(&again);
}

static void check_status(const struct job *job)
{
    struct job_result result = {.state = JOB_QUEUED};
    char *queued = job_format_status(job, &result);
    char *placed = job_status_with_position(view_of(queued), 3);
    char *ended = job_status_cancelled(view_of(queued), 5);
    assert(placed != NULL && ended != NULL);
    free(queued);
    free(placed);
    free(ended);
}

static void check_input(struct view text)
{
    struct job_input input;
    struct err err = {0};
    if (job_parse_input(text, &limits, &input, &err)) {
        assert(strlen(input.text) <= limits.stdin_bytes);
        assert(input.text[0] != '\0' || input.is_last);
        free(job_format_input(&input));
    } else {
        assert(err.code != NULL && utf8_valid(err.text, strlen(err.text)) &&
               input.text == NULL);
    }
    job_input_finish(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct view text = {(const char *)data + 1, size - 1};
    struct job job;
    struct err err = {0};
    bool ok = data[0] % 2 == 0 ? job_parse_request(text, &limits, &job, &err)
                               : job_parse_entry(text, &limits, &job, &err);
    if (ok) {
        check_limits(&job);
        check_round_trip(&job);
        check_status(&job);
    } else {
        assert(err.code != NULL && err.text[0] != '\0' && job.code == NULL);
        assert(utf8_valid(err.text, strlen(err.text)));
    }
    job_finish(&job);
    check_input(text);

    struct job_transcript transcript;
    job_transcript_init(&transcript, 10240);
    job_transcript_add(&transcript, text);
    char *with = job_status_with_transcript(text, &transcript, size % 2 == 0);
    free(with);
    job_transcript_finish(&transcript);
    return 0;
}
