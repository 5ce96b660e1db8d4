/* conf: the four sources, which of them wins, and what each refusal says. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS 16

/* conf_load with the two paths that --check wants to be there. */
static enum conf_outcome load(struct conf *conf, struct err *err, const char *first, ...)
{
    char *argv[ARGUMENTS] = {"vve", "--seccomp=/dev/null", "--web-root=/"};
    int argc = 3;
    va_list more;
    va_start(more, first);
    for (const char *flag = first; flag != NULL; flag = va_arg(more, const char *)) {
        argv[argc++] = (char *)flag;
    }
    va_end(more);
    FILE *out = fopen("/dev/null", "w");
    enum conf_outcome outcome = conf_load(argc, argv, conf, out, err);
    fclose(out);
    return outcome;
}

static void test_defaults_are_the_limits_of_the_design(void **state)
{
    (void)state;
    struct conf conf;
    struct err err;
    assert_int_equal(load(&conf, &err, NULL), CONF_RUN);
    assert_int_equal(conf.slots, 2);
    assert_int_equal(conf.rate_limit, 10);
    assert_int_equal(conf.code_bytes, 5120);
    assert_int_equal(conf.output_bytes, 10240);
    assert_int_equal(conf.run_ms, 5000);
    assert_int_equal(conf.memory_bytes, 128 * 1024 * 1024);
    assert_int_equal(conf.cpu_millis, 500);
    assert_int_equal(conf.job_ttl_s, 600);
    assert_int_equal(conf.listen_port, 8080);
    assert_true(conf.gateway && conf.worker && !conf.metrics_public);
    conf_finish(&conf);
}

static void test_later_sources_win(void **state)
{
    (void)state;
    char path[] = "/tmp/vve-test-conf-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("# a comment\n\n rate-limit = 3 \nqueue-max=4\nrun-ms = 500\n", file);
    fclose(file);
    setenv("VVE_QUEUE_MAX", "5", 1);
    setenv("VVE_RUN_MS", "600", 1);
    struct conf conf;
    struct err err;
    assert_int_equal(load(&conf, &err, "--config", path, "--run-ms=700", NULL), CONF_RUN);
    assert_int_equal(conf.rate_limit, 3);
    assert_int_equal(conf.queue_max, 5);
    assert_int_equal(conf.run_ms, 700);
    conf_finish(&conf);
    unsetenv("VVE_QUEUE_MAX");
    unsetenv("VVE_RUN_MS");
    unlink(path);
}

static void test_lists_roles_and_addresses(void **state)
{
    (void)state;
    struct conf conf;
    struct err err;
    assert_int_equal(load(&conf, &err, "--allow-origin", "https://a,https://b",
                          "--allow-origin", "https://c", "--role=worker", "--listen", "[::1]:0",
                          "--metrics-public", NULL),
                     CONF_RUN);
    assert_string_equal(conf.allow_origins[2], "https://c");
    assert_null(conf.allow_origins[3]);
    assert_true(conf.worker && !conf.gateway && conf.metrics_public);
    assert_string_equal(conf.listen_host, "::1");
    assert_int_equal(conf.listen_port, 0);
    conf_finish(&conf);
}

static void refuses(const char *flag, const char *value, const char *mentions)
{
    struct conf conf;
    struct err err;
    assert_int_equal(load(&conf, &err, flag, value, NULL), CONF_BAD);
    assert_non_null(strstr(err.text, mentions));
    conf_finish(&conf);
}

static void test_refusals_say_what_is_wanted(void **state)
{
    (void)state;
    refuses("--run-ms", "fast", "a number from 100 to 600000");
    refuses("--slots", "3", "a number from 0 to 2");
    refuses("--run-ms", NULL, "wants a value");
    refuses("--sped", "1", "no option \"--sped\"");
    refuses("serve", NULL, "--help");
    refuses("--role", "both", "gateway, worker or all");
    refuses("--listen", "8080", "ADDRESS:PORT");
    refuses("--redis", "redis://x", "unix:/path or tcp://host:port");
    refuses("--log-level", "loud", "debug, info, warn or error");
    refuses("--config", "/nonexistent", "/nonexistent");
    refuses("--seccomp", "/nonexistent", "seccomp");
}

static void test_questions_are_answered(void **state)
{
    (void)state;
    struct conf conf;
    struct err err;
    static const char *const questions[] = {"--help", "--version", "--check"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(load(&conf, &err, questions[i], NULL), CONF_DONE);
        conf_finish(&conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_limits_of_the_design),
        cmocka_unit_test(test_later_sources_win),
        cmocka_unit_test(test_lists_roles_and_addresses),
        cmocka_unit_test(test_refusals_say_what_is_wanted),
        cmocka_unit_test(test_questions_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
