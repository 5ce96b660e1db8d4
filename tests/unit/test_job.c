/* run/job: requests and queue entries in, JSON out; every refusal by its code. */
#include "base/utf8.h"
#include "run/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct job_limits limits = {5120, 5120};

static void refuses(const char *body, const char *code, const char *mentions)
{
    struct job job;
    struct err err = {0};
    assert_false(job_parse_request(view_of(body), &limits, &job, &err));
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.text, mentions));
    assert_true(utf8_valid(err.text, strlen(err.text)));
    assert_null(job.code);
}

static void test_refusals(void **state)
{
    (void)state;
    refuses("", "bad_json", "not valid JSON");
    refuses("{\"code\":", "bad_json", "line 1");
    refuses("[1]", "bad_json", "object");
    refuses("{\"\\\xc3\xa9\":1}", "bad_json", "not valid JSON");
    refuses("{}", "bad_field", "\"code\" is missing");
    refuses("{\"code\":null}", "bad_field", "\"code\"");
    refuses("{\"code\":1}", "bad_field", "\"code\" must be a string");
    refuses("{\"code\":\"a\\u0000b\"}", "bad_field", "\"code\" must not hold a NUL");
    refuses("{\"code\":\"\\ud800\"}", "bad_field", "\"code\"");
    refuses("{\"code\":\"ok\",\"stdin\":\"\\udc00x\"}", "bad_field", "\"stdin\"");
    refuses("{\"code\":\"\xff\"}", "bad_field", "\"code\"");
    refuses("{\"code\":\"a\",\"code\":\"b\"}", "bad_json", "duplicate");
    refuses("{\"code\":\"a\",\"language\":\"ruby\"}", "unknown_language", "python");
    refuses("{\"code\":\"a\",\"language\":7}", "bad_field", "\"language\"");
    refuses("{\"code\":\"a\",\"stdin\":7}", "bad_field", "\"stdin\"");
    refuses("{\"code\":\"a\",\"interactive\":1}", "bad_field", "\"interactive\"");
    refuses("{\"code\":\"a\",\"roomId\":\"a/b\"}", "bad_field", "\"roomId\"");
    refuses("{\"code\":\"a\",\"roomId\":\"\"}", "bad_field", "\"roomId\"");
}

/* A request whose code is `len` bytes, made of `unit`. */
static char *request_of(const char *unit, size_t len)
{
    char *body = malloc(len + 64);
    size_t at = (size_t)sprintf(body, "{\"code\":\"");
    for (size_t i = 0; i < len; i += strlen(unit)) {
        at += (size_t)sprintf(body + at, "%s", unit);
    }
    sprintf(body + at, "\"}");
    return body;
}

static void test_size_at_the_boundary(void **state)
{
    (void)state;
    struct job job;
    struct err err;
    char *fits = request_of("x", 5120);
    char *wide = request_of("\xc3\xa9", 5120);
    char *over = request_of("x", 5121);
    assert_true(job_parse_request(view_of(fits), &limits, &job, &err));
    assert_int_equal(strlen(job.code), 5120);
    job_finish(&job);
    assert_true(job_parse_request(view_of(wide), &limits, &job, &err));
    job_finish(&job);
    assert_false(job_parse_request(view_of(over), &limits, &job, &err));
    assert_string_equal(err.code, "code_too_large");
    free(fits);
    free(wide);
    free(over);
}

static void test_names_are_counted_in_characters(void **state)
{
    (void)state;
    struct job job;
    struct err err;
    char body[512] = "{\"code\":\"\",\"by\":\"";
    for (int i = 0; i < 64; i++) {
        strcat(body, "\xc3\xa9");
    }
    char longer[520];
    snprintf(longer, sizeof longer, "%sx\"}", body);
    strcat(body, "\"}");
    assert_true(job_parse_request(view_of(body), &limits, &job, &err));
    job_finish(&job);
    assert_false(job_parse_request(view_of(longer), &limits, &job, &err));
    assert_string_equal(err.code, "bad_field");
}

static void test_entry_round_trip(void **state)
{
    (void)state;
    const char *entry = "{\"jobId\":\"4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10\",\"sourceCode\":"
                        "\"print('\xf0\x9f\x98\x80')\",\"language\":\"python\",\"submittedAt\":"
                        "1705500000000,\"stdin\":\"a\\nb\",\"by\":\"Ada\"}";
    struct job job;
    struct err err;
    assert_true(job_parse_entry(view_of(entry), &limits, &job, &err));
    assert_string_equal(job.code, "print('\xf0\x9f\x98\x80')");
    assert_string_equal(job.stdin_text, "a\nb");
    assert_true(job.submitted_at == 1705500000000);
    char *again = job_format_entry(&job);
    assert_string_equal(again, entry);
    free(again);
    job_finish(&job);
}

static void test_the_plain_entry_of_another_producer(void **state)
{
    (void)state;
    const char *entry =
        "{\"jobId\":\"4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10\",\"sourceCode\":"
        "\"print('hello world')\",\"language\":\"python\",\"submittedAt\":1705500000000}";
    struct job job;
    struct err err;
    assert_true(job_parse_entry(view_of(entry), &limits, &job, &err));
    assert_null(job.stdin_text);
    job_finish(&job);
    assert_false(
        job_parse_entry(view_of("{\"jobId\":\"7\",\"sourceCode\":\"\",\"submittedAt\":1}"),
                        &limits, &job, &err));
    assert_non_null(strstr(err.text, "jobId"));
}

static void test_status_of_a_failed_run(void **state)
{
    (void)state;
    struct job job = {.submitted_at = 1};
    strcpy(job.id, "4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10");
    struct job_result result = {.state = JOB_FAILED,
                                .started_at = 2,
                                .finished_at = 3,
                                .output = view_of("o\n"),
                                .out = view_of("o\n"),
                                .err = view_of(""),
                                .dropped_bytes = 7,
                                .signal = "SIGSEGV",
                                .wall_ms = 4,
                                .cpu_ms = 5,
                                .memory_bytes = 6,
                                .error_code = "output_limit",
                                .error_text = "Too much."};
    char *text = job_format_status(&job, &result);
    assert_string_equal(
        text, "{\"jobId\":\"4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10\",\"status\":\"failed\","
              "\"language\":\"python\",\"submittedAt\":1,\"startedAt\":2,\"finishedAt\":3,"
              "\"position\":null,\"waiting\":false,\"output\":\"o\\n\",\"stdout\":\"o\\n\","
              "\"stderr\":\"\","
              "\"truncated\":true,\"droppedBytes\":7,\"exitCode\":null,\"signal\":\"SIGSEGV\","
              "\"wallMs\":4,\"cpuMs\":5,\"memoryBytes\":6,"
              "\"error\":{\"code\":\"output_limit\",\"message\":\"Too much.\"}}");
    free(text);
}

static void test_changed_status(void **state)
{
    (void)state;
    struct job job = {.submitted_at = 1};
    strcpy(job.id, "4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10");
    struct job_result result = {.state = JOB_QUEUED};
    char *queued = job_format_status(&job, &result);
    char *placed = job_status_with_position(view_of(queued), 2);
    assert_non_null(strstr(placed, "\"position\":2"));
    char *ended = job_status_cancelled(view_of(placed), 9);
    assert_non_null(strstr(ended, "\"status\":\"cancelled\""));
    assert_non_null(strstr(ended, "\"position\":null"));
    assert_non_null(strstr(ended, "\"output\":\"\""));
    assert_null(job_status_with_position(view_of("[]"), 1));
    free(queued);
    free(placed);
    free(ended);
}

static void test_transcript(void **state)
{
    (void)state;
    struct job_transcript transcript;
    job_transcript_init(&transcript, 100);
    char *first = job_format_output("stdout", view_of("a"));
    char *second = job_format_output("stderr", (struct view){"b\0", 2});
    job_transcript_add(&transcript, view_of(first));
    job_transcript_add(&transcript, view_of(second));
    char *status = job_status_with_transcript(view_of("{}"), &transcript, true);
    assert_string_equal(status,
                        "{\"output\":\"ab\\u0000\",\"stdout\":\"a\",\"stderr\":\"b\\u0000\","
                        "\"waiting\":true}");
    free(first);
    free(second);
    free(status);
    job_transcript_finish(&transcript);
}

static void refuses_input(const char *body, const char *code, const char *says)
{
    struct job_input input;
    struct err err;
    assert_false(job_parse_input(view_of(body), &(struct job_limits){10, 10}, &input, &err));
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.text, says));
    assert_null(input.text);
}

static void test_live_input(void **state)
{
    (void)state;
    struct job_input input;
    struct err err;
    struct job_limits ten = {10, 10};
    assert_true(job_parse_input(
        view_of("{\"data\":\"0123456789\",\"by\":\"Ada\",\"end\":true}"), &ten, &input, &err));
    char *event = job_format_input(&input);
    assert_string_equal(event, "{\"text\":\"0123456789\",\"by\":\"Ada\",\"end\":true}");
    free(event);
    job_input_finish(&input);
    assert_true(job_parse_input(view_of("{\"data\":\"\",\"end\":true}"), &ten, &input, &err));
    job_input_finish(&input);
    refuses_input("{", "bad_json", "not valid JSON");
    refuses_input("{}", "bad_field", "\"data\" is missing");
    refuses_input("{\"data\":\"\"}", "bad_field", "\"data\" is empty");
    refuses_input("{\"data\":\"a\",\"end\":1}", "bad_field", "\"end\"");
    refuses_input("{\"data\":\"\\ud800\"}", "bad_field", "\"data\"");
    refuses_input("{\"data\":\"0123456789a\"}", "stdin_too_large", "11 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_size_at_the_boundary),
        cmocka_unit_test(test_names_are_counted_in_characters),
        cmocka_unit_test(test_entry_round_trip),
        cmocka_unit_test(test_the_plain_entry_of_another_producer),
        cmocka_unit_test(test_status_of_a_failed_run),
        cmocka_unit_test(test_changed_status),
        cmocka_unit_test(test_transcript),
        cmocka_unit_test(test_live_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
