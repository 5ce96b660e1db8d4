/* conf: the four sources, which of them wins, and what each refusal says. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS 16

/* A folder with what a daemon of every role needs: a profile, a page, room for locks. */
static char folder[] = "/tmp/vve-test-conf-XXXXXX";
static char profile[sizeof folder + 16];
static char page[sizeof folder + 16];
static char plain[sizeof folder + 16]; /* a file that is neither */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(profile, sizeof profile, "%s/seccomp.json", folder);
    snprintf(page, sizeof page, "%s/index.html", folder);
    snprintf(plain, sizeof plain, "%s/plain", folder);
    write_file(profile, "{}");
    write_file(page, "<!doctype html>");
    write_file(plain, "no profile");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(profile);
    unlink(page);
    unlink(plain);
    return rmdir(folder);
}

/* conf_load with good files and folders; what the flags say comes later and wins. */
static enum conf_outcome load_to(FILE *out, struct conf *conf, struct err *err, va_list flags)
{
    char given[3][sizeof folder + 32];
    snprintf(given[0], sizeof given[0], "--seccomp=%s", profile);
    snprintf(given[1], sizeof given[1], "--web-root=%s", folder);
    snprintf(given[2], sizeof given[2], "--lock-dir=%s", folder);
    char *argv[ARGUMENTS] = {"vve", given[0], given[1], given[2]};
    int argc = 4;
    char *flag;
    while ((flag = va_arg(flags, char *)) != NULL) {
        assert_true(argc < ARGUMENTS);
        argv[argc++] = flag;
    }
    return conf_load(argc, argv, conf, out, err);
}

/* The flags end with a NULL. */
static enum conf_outcome load(struct conf *conf, struct err *err, ...)
{
    FILE *out = fopen("/dev/null", "w");
    va_list flags;
    va_start(flags, err);
    enum conf_outcome outcome = load_to(out, conf, err, flags);
    va_end(flags);
    fclose(out);
    return outcome;
}

/* What is said on stdout, for free(). */
static char *answer(struct conf *conf, struct err *err, ...)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    va_list flags;
    va_start(flags, err);
    assert_int_equal(load_to(out, conf, err, flags), CONF_DONE);
    va_end(flags);
    fclose(out);
    return text;
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
    char path[sizeof folder + 16];
    snprintf(path, sizeof path, "%s/conf", folder);
    write_file(path, "# a comment\n\n rate-limit = 3 \nqueue-max=4\nrun-ms = 500\n");
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
    if (strstr(err.text, mentions) == NULL) {
        fail_msg("\"%s\" does not say: %s", err.text, mentions);
    }
    conf_finish(&conf);
}

static void takes(const char *flag, const char *value)
{
    struct conf conf;
    struct err err = {.text = ""};
    if (load(&conf, &err, flag, value, "--check", NULL) != CONF_DONE) {
        fail_msg("%s %s: %s", flag, value, err.text);
    }
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
    refuses("--log-level", "loud", "debug, info, warn or error");
    refuses("--config", "/nonexistent", "/nonexistent");
}

static void test_addresses_are_checked(void **state)
{
    (void)state;
    refuses("--redis", "redis://x", "redis: \"redis://x\" is neither unix:/path nor tcp://");
    refuses("--redis", "tcp://cache", "redis: \"tcp://cache\"");
    refuses("--redis", "tcp://cache:0", "redis: \"tcp://cache:0\"");
    refuses("--redis", "unix:relative", "redis: \"unix:relative\"");
    takes("--redis", "tcp://cache:6379");
    takes("--redis", "unix:/run/redis.sock");
    refuses("--listen", "localhost:8080", "listen: \"localhost\" is no IPv4 or IPv6 address");
    refuses("--listen", "1.2.3:8080", "listen: \"1.2.3\"");
    takes("--listen", "127.0.0.1:0");
    takes("--listen", "[::]:8080");
    takes("--listen", ":8080");
}

static void test_lists_are_checked(void **state)
{
    (void)state;
    refuses("--trusted-proxy", "proxy.example", "trusted-proxy: \"proxy.example\" is no IPv4");
    refuses("--trusted-proxy", "10.0.0.0/8", "trusted-proxy: \"10.0.0.0/8\"");
    refuses("--trusted-proxy", "10.0.0.1,,10.0.0.2", "trusted-proxy: \"\"");
    takes("--trusted-proxy", "10.0.0.1,2001:db8::1");
    static const char *const no_origins[] = {
        "null",
        "vve.example",
        "https://",
        "https://vve.example/",
        "https://vve.example/page",
        "https://vve.example?query",
        "https://ada@vve.example",
        "https://VVE.example",
        "https://vve.example:",
        "https://vve.example:port",
        "https://[::1",
        "https://a b",
    };
    for (size_t i = 0; i < sizeof no_origins / sizeof no_origins[0]; i++) {
        refuses("--allow-origin", no_origins[i], "is not scheme://host[:port]");
        refuses("--allow-origin", no_origins[i], no_origins[i]);
    }
    takes("--allow-origin", "https://vve.example,http://localhost:5173,http://[::1]:80");
    static const char *const too_many_origins[] = {
        "*",
        "https://*",
        "https://*.vercel.app",
        "https://vve*.vercel.app",
        "https://-vve*.vercel.app",
        "http://vve-*.vercel.app",
        "https://vve-*.app",
        "https://vve-*",
        "https://vve-*.*.app",
        "https://vve-**.vercel.app",
        "https://vve-a.*.app",
        "https://vve-a.*.vercel.app",
        "https://vve-a.vve-*.vercel.app",
        "https://vve-*..app",
        "https://vve-*.vercel.app/",
        "https://vve-*.Vercel.app",
        "https://vve-a*@evil.vercel.app",
        "https://vve-*.vercel.app:*",
    };
    for (size_t i = 0; i < sizeof too_many_origins / sizeof too_many_origins[0]; i++) {
        refuses("--allow-origin", too_many_origins[i], "a * needs https://, four characters");
        refuses("--allow-origin", too_many_origins[i], too_many_origins[i]);
    }
    takes("--allow-origin", "https://vve-*.vercel.app,https://vve-*-ada.vercel.app:8443");
}

static void test_files_are_checked(void **state)
{
    (void)state;
    refuses("--image", "", "image: \"\"");
    refuses("--web-root", "/nonexistent", "web-root: /nonexistent has no index.html");
    refuses("--web-root", "/dev", "web-root: /dev has no index.html");
    refuses("--seccomp", "/nonexistent", "seccomp: /nonexistent: No such file");
    refuses("--seccomp", plain, "must begin with \"{\"");
    refuses("--seccomp", "/dev/null", "must begin with \"{\"");
    refuses("--seccomp", folder, "must begin with \"{\"");
    refuses("--lock-dir", "/nonexistent", "lock-dir: cannot create files in /nonexistent: No");
    refuses("--lock-dir", plain, "Not a directory");
}

/* A real user id that is not root's is what access() asks for. */
static void test_lock_folder_is_writable(void **state)
{
    (void)state;
    uid_t user = getuid();
    assert_int_equal(chmod(folder, 0500), 0);
    assert_int_equal(setreuid(user == 0 ? 65534 : user, (uid_t)-1), 0);
    refuses("--role=worker", NULL, "Permission denied");
    assert_int_equal(setreuid(user, (uid_t)-1), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    takes("--role=worker", "--slots=1");
}

/* What a role does not use is not asked for. */
static void test_roles_are_checked_for_what_they_use(void **state)
{
    (void)state;
    struct conf conf;
    struct err err;
    assert_int_equal(load(&conf, &err, "--role=gateway", "--seccomp=/none", "--lock-dir=/none",
                          "--image=", NULL),
                     CONF_RUN);
    conf_finish(&conf);
    assert_int_equal(load(&conf, &err, "--role=worker", "--web-root=/none", NULL), CONF_RUN);
    conf_finish(&conf);
    assert_int_equal(load(&conf, &err, "--slots=0", "--seccomp=/none", NULL), CONF_RUN);
    conf_finish(&conf);
    assert_int_equal(load(&conf, &err, "--role=gateway", "--web-root=/none", NULL), CONF_BAD);
    conf_finish(&conf);
    assert_int_equal(load(&conf, &err, "--role=worker", "--seccomp=/none", NULL), CONF_BAD);
    conf_finish(&conf);
}

static void test_questions_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        const char *says;
    } rows[] = {
        {"--help", "Usage: vve [OPTION]..."},
        {"--help", "--run-ms MILLISECONDS"},
        {"--help", "--job-ttl SECONDS"},
        {"--help", "--code-bytes BYTES"},
        {"--help", "[tcp://127.0.0.1:6379]"},
        {"--help", "defaults, file, VVE_* environment, flags; the last wins"},
        {"--help", "VVE_CONFIG"},
        {"--help", "\n  rate-limit = 5\n"},
        {"--version", "vve " VVE_VERSION "\n"},
        {"--check", "the configuration is good\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf conf;
        struct err err;
        char *text = answer(&conf, &err, rows[i].question, NULL);
        if (strstr(text, rows[i].says) == NULL) {
            fail_msg("%s does not say \"%s\":\n%s", rows[i].question, rows[i].says, text);
        }
        free(text);
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
        cmocka_unit_test(test_addresses_are_checked),
        cmocka_unit_test(test_lists_are_checked),
        cmocka_unit_test(test_files_are_checked),
        cmocka_unit_test(test_lock_folder_is_writable),
        cmocka_unit_test(test_roles_are_checked_for_what_they_use),
        cmocka_unit_test(test_questions_are_answered),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
