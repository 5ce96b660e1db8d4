/* A run as data: what was asked for, what came of it, and their JSON forms (pure conversions).
 *
 * The request body is that of POST /api/execute; the queue entry is the job JSON of the design
 * ({"jobId","sourceCode","language","submittedAt"} plus our optional "stdin","roomId","by","interactive"), so
 * that any producer that can RPUSH one may submit. The status object is the answer of GET
 * /api/status/:jobId. */
#ifndef VVE_RUN_JOB_H
#define VVE_RUN_JOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum job_state {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_COMPLETED, /* exit code 0 */
    JOB_FAILED,    /* another exit code, a signal, or the output limit */
    JOB_TIMED_OUT,
    JOB_OUT_OF_MEMORY,
    JOB_CANCELLED,
    JOB_ERROR, /* ours, with error_code */
};

#define JOB_ENTRY_MAX_BYTES ((size_t)256 * 1024) /* of a queue entry, whoever wrote it */

struct job_limits {
    size_t code_bytes;
    size_t stdin_bytes;
};

/* What was asked for. Owned by whoever parsed it; strings are on the heap. */
struct job {
    char id[ID_UUID_LEN + 1]; /* empty until drawn, for a request */
    char *code;               /* UTF-8 without NUL */
    char *stdin_text;         /* UTF-8 without NUL; NULL: immediate end of file */
    char *room_id;            /* NULL: none */
    char *by;                 /* NULL: nobody said */
    bool interactive;         /* stdin stays open for live input */
    int64_t submitted_at;     /* ms since the epoch */
};

/* What came of it so far. Text is valid UTF-8. Fields that do not apply stay zero, and
 * job_format_status writes null for them. */
struct job_result {
    enum job_state state;
    int64_t started_at;  /* ms since the epoch; 0: not yet */
    int64_t finished_at; /* ms since the epoch; 0: not yet */
    struct view output;  /* both streams in order of arrival */
    struct view out;     /* stdout alone */
    struct view err;     /* stderr alone */
    int64_t dropped_bytes;
    bool has_exit_code;
    int exit_code;
    const char *signal; /* "SIGSEGV"; NULL: none */
    int64_t wall_ms;
    int64_t cpu_ms;
    int64_t memory_bytes;
    const char *error_code; /* NULL: none */
    const char *error_text; /* a sentence for people */
};

/* Parse a request body or a queue entry. On failure the job is empty and err says why:
 * bad_json, bad_field (naming it), code_too_large, stdin_too_large, unknown_language. */
bool job_parse_request(struct view body, const struct job_limits *limits, struct job *job,
                       struct err *err);
bool job_parse_entry(struct view entry, const struct job_limits *limits, struct job *job,
                     struct err *err);
void job_finish(struct job *job); /* accepts a zeroed job */

/* The id and time of an entry that job_parse_entry refused, if they can be read. */
bool job_read_identity(struct view entry, struct job *job);

/* Live input, the body of POST /api/jobs/:jobId/stdin. */
struct job_input {
    char *text;   /* UTF-8 without NUL; empty only if it is the last */
    char *by;     /* NULL: nobody said */
    bool is_last; /* the program's stdin ends behind it */
};

/* On failure the input is empty and err says why: bad_json, bad_field, stdin_too_large. */
bool job_parse_input(struct view body, const struct job_limits *limits, struct job_input *input,
                     struct err *err);
void job_input_finish(struct job_input *input); /* accepts a zeroed one */

/* JSON on the heap, for free(). */
char *job_format_entry(const struct job *job);
char *job_format_status(const struct job *job, const struct job_result *result);
char *job_format_output(const char *stream, struct view text); /* {"stream","text"} */
char *job_format_input(const struct job_input *input);         /* {"text","by","end"} */

const char *job_state_name(enum job_state state); /* "timed_out" */
bool job_state_parse(const char *name, enum job_state *state);
static inline bool job_state_final(enum job_state state)
{
    return state >= JOB_COMPLETED;
}

/* A stored status object changed in one respect; NULL if `status` is no JSON object. */
char *job_status_with_position(struct view status, int64_t position); /* 1 = next */
char *job_status_cancelled(struct view status, int64_t finished_at);

/* The status objects that a run which is given back may need: whichever the script chooses. */
struct job_ends {
    char *queued;
    char *error; /* its attempts are used up */
    char *cancelled;
};
struct job_ends job_format_ends(const struct job *job, int64_t now);
void job_ends_finish(struct job_ends *ends);

/* The text of an "output" event gathered, for the status object of a run that is going on. */
struct job_transcript {
    struct buf output;
    struct buf out;
    struct buf err;
};
void job_transcript_init(struct job_transcript *transcript, size_t max_bytes);
void job_transcript_finish(struct job_transcript *transcript);
void job_transcript_add(struct job_transcript *transcript, struct view output_event);
/* `waiting`: for input. */
char *job_status_with_transcript(struct view status, const struct job_transcript *transcript,
                                 bool waiting);

#endif
