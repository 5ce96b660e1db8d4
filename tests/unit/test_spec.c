/* The container's settings, to the letter: a change here is a change of what a program may do.
 */
#include "run/spec.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct conf conf_of(void)
{
    static char image[] = "vve-runner:test";
    static char runtime[] = "";
    return (struct conf){
        .image = image,
        .runtime = runtime,
        .output_bytes = 10240,
        .flood_bytes = 1048576,
        .memory_bytes = 134217728,
        .cpu_millis = 500,
        .pids = 64,
    };
}

static const char expected[] =
    "{\"Image\":\"vve-runner:test\","
    "\"Cmd\":[\"--cap\",\"10240\",\"--flood\",\"1048576\"],"
    "\"User\":\"65534:65534\",\"WorkingDir\":\"/tmp\",\"Hostname\":\"vve\","
    "\"Env\":[\"PATH=/usr/local/bin:/usr/bin:/bin\",\"PYTHONUNBUFFERED=1\",\"HOME=/tmp\"],"
    "\"AttachStdin\":true,\"OpenStdin\":true,\"StdinOnce\":true,\"AttachStdout\":true,"
    "\"AttachStderr\":true,\"Tty\":false,\"NetworkDisabled\":true,"
    "\"Labels\":{\"vve\":\"1\",\"vve.worker\":\"host-0-abc\"},"
    "\"HostConfig\":{\"NetworkMode\":\"none\",\"Memory\":134217728,\"MemorySwap\":134217728,"
    "\"NanoCpus\":500000000,\"CpuShares\":256,\"PidsLimit\":64,\"OomScoreAdj\":1000,"
    "\"ReadonlyRootfs\":true,\"CapDrop\":[\"ALL\"],"
    "\"SecurityOpt\":[\"no-new-privileges\",\"seccomp={\\\"defaultAction\\\":\\\"X\\\"}\"],"
    "\"IpcMode\":\"none\",\"CgroupnsMode\":\"private\","
    "\"Tmpfs\":{\"/tmp\":\"size=16m,nr_inodes=1024,mode=1777,noexec,nosuid,nodev\"},"
    "\"LogConfig\":{\"Type\":\"none\"},"
    "\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":256,\"Hard\":256},"
    "{\"Name\":\"core\",\"Soft\":0,\"Hard\":0},"
    "{\"Name\":\"fsize\",\"Soft\":16777216,\"Hard\":16777216}],"
    "\"AutoRemove\":false}}";

static void writes_exactly_the_settings(void **state)
{
    (void)state;
    struct conf conf = conf_of();
    char *body = spec_format(&conf, view_of("{\"defaultAction\":\"X\"}"), "host-0-abc");
    assert_string_equal(body, expected);
    free(body);
}

static json_t *host_config_of(const struct conf *conf)
{
    char *body = spec_format(conf, view_of("{}"), "w");
    json_t *root = json_loads(body, 0, NULL);
    json_t *host = json_incref(json_object_get(root, "HostConfig"));
    json_decref(root);
    free(body);
    assert_non_null(host);
    return host;
}

static void follows_the_configuration(void **state)
{
    (void)state;
    struct conf conf = conf_of();
    char runtime[] = "runsc";
    conf.runtime = runtime;
    conf.memory_bytes = 33554432;
    conf.cpu_millis = 2000;
    conf.pids = 256;
    json_t *host = host_config_of(&conf);
    assert_string_equal(json_string_value(json_object_get(host, "Runtime")), "runsc");
    assert_int_equal(json_integer_value(json_object_get(host, "Memory")), 33554432);
    assert_int_equal(json_integer_value(json_object_get(host, "MemorySwap")), 33554432);
    assert_int_equal(json_integer_value(json_object_get(host, "NanoCpus")), 2000000000);
    assert_int_equal(json_integer_value(json_object_get(host, "PidsLimit")), 256);
    json_decref(host);
}

/* Empty lists would take the Engine's own masks away; the others would weaken what is set. */
static void leaves_out_what_would_weaken(void **state)
{
    (void)state;
    static const char *const absent[] = {"MaskedPaths", "ReadonlyPaths", "Init",   "Binds",
                                         "Privileged",  "CapAdd",        "Mounts", "Runtime",
                                         "Devices",     "PidMode"};
    struct conf conf = conf_of();
    json_t *host = host_config_of(&conf);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        assert_null(json_object_get(host, absent[i]));
    }
    json_decref(host);
}

static char *profile_path(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/vve-test-seccomp-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void reads_the_profile_as_one_line(void **state)
{
    (void)state;
    struct err err;
    char *path =
        profile_path("{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n \"syscalls\": []\n}\n");
    char *line = spec_read_seccomp(path, &err);
    unlink(path);
    assert_string_equal(line, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[]}");
    free(line);
}

static void refuses_what_is_no_profile(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "{}",
                                       "[]",
                                       "{\"defaultAction\":1}",
                                       "{\"defaultAction\":\"X\"",
                                       "{\"defaultAction\":\"X\"}x"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        char *path = profile_path(rows[i]);
        assert_null(spec_read_seccomp(path, &err));
        unlink(path);
        assert_string_equal(err.code, "seccomp_invalid");
    }
    struct err err = {0};
    assert_null(spec_read_seccomp("/nonexistent/profile.json", &err));
    assert_string_equal(err.code, "seccomp_unreadable");
}

static void weighs_the_engines_warnings(void **state)
{
    (void)state;
    static const struct {
        const char *warnings;
        bool holds_with_swap;
        bool holds_without_swap;
    } rows[] = {
        {"", true, true},
        {"IPv4 forwarding is disabled. Networking will not work.", true, true},
        {"Your kernel does not support CPU shares or the cgroup is not mounted. "
         "Shares discarded.",
         true, true},
        {"Your kernel does not support swap limit capabilities or the cgroup is not mounted. "
         "Memory limited without swap.",
         false, true},
        {"Your kernel does not support memory limit capabilities or the cgroup is not mounted. "
         "Limitation discarded.",
         false, false},
        {"Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. "
         "PIDs limit discarded.",
         false, false},
        {"something harmless\nYour kernel does not support PIDs limit capabilities or the "
         "cgroup "
         "is not mounted. PIDs limit discarded.",
         false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        assert_int_equal(spec_limits_hold(rows[i].warnings, true, &err),
                         rows[i].holds_with_swap);
        assert_int_equal(spec_limits_hold(rows[i].warnings, false, &err),
                         rows[i].holds_without_swap);
        if (!rows[i].holds_with_swap) {
            assert_string_equal(err.code, "limits_not_applied");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_exactly_the_settings),
        cmocka_unit_test(follows_the_configuration),
        cmocka_unit_test(leaves_out_what_would_weaken),
        cmocka_unit_test(reads_the_profile_as_one_line),
        cmocka_unit_test(refuses_what_is_no_profile),
        cmocka_unit_test(weighs_the_engines_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
