/* See spec.h. Called by the thread that starts the worker; pure but for reading the profile. */
#include "run/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"

static void set_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

static void set_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

static void set_string(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, json_string(value));
}

static json_t *ulimit(const char *name, int64_t value)
{
    return json_pack("{s:s, s:I, s:I}", "Name", name, "Soft", (json_int_t)value, "Hard",
                     (json_int_t)value);
}

static json_t *security_options(struct view seccomp)
{
    static const char prefix[] = "seccomp=";
    size_t len = sizeof prefix - 1 + seccomp.len;
    char *option = mem_alloc(len + 1);
    memcpy(option, prefix, sizeof prefix - 1);
    memcpy(option + sizeof prefix - 1, seccomp.at, seccomp.len);
    json_t *options = json_pack("[s, s#]", "no-new-privileges", option, (int)len);
    free(option);
    return options;
}

/* MaskedPaths and ReadonlyPaths stay out: to set them is to take the Engine's own away. So does
 * the nproc limit, which counts a user's processes over all containers. */
static json_t *host_config(const struct conf *conf, struct view seccomp)
{
    json_t *host = json_object();
    set_string(host, "NetworkMode", "none");
    set_int(host, "Memory", conf->memory_bytes);
    set_int(host, "MemorySwap", conf->memory_bytes); /* both together: none of it is swap */
    set_int(host, "NanoCpus", (int64_t)conf->cpu_millis * 1000000);
    set_int(host, "CpuShares", 256);
    set_int(host, "PidsLimit", conf->pids);
    set_int(host, "OomScoreAdj", 1000);
    set_bool(host, "ReadonlyRootfs", true);
    json_object_set_new(host, "CapDrop", json_pack("[s]", "ALL"));
    json_object_set_new(host, "SecurityOpt", security_options(seccomp));
    set_string(host, "IpcMode", "none");
    set_string(host, "CgroupnsMode", "private");
    json_object_set_new(
        host, "Tmpfs",
        json_pack("{s:s}", "/tmp", "size=16m,nr_inodes=1024,mode=1777,noexec,nosuid,nodev"));
    json_object_set_new(host, "LogConfig", json_pack("{s:s}", "Type", "none"));
    json_object_set_new(host, "Ulimits",
                        json_pack("[o, o, o]", ulimit("nofile", 256), ulimit("core", 0),
                                  ulimit("fsize", INT64_C(16777216))));
    if (conf->runtime != NULL && conf->runtime[0] != '\0') {
        set_string(host, "Runtime", conf->runtime);
    }
    set_bool(host, "AutoRemove", false);
    return host;
}

/* The supervisor's arguments; the image's entrypoint names the supervisor itself. */
static json_t *command(const struct conf *conf)
{
    char cap[16];
    char flood[16];
    snprintf(cap, sizeof cap, "%d", conf->output_bytes);
    snprintf(flood, sizeof flood, "%d", conf->flood_bytes);
    return json_pack("[s, s, s, s]", "--cap", cap, "--flood", flood);
}

char *spec_format(const struct conf *conf, struct view seccomp, const char *worker)
{
    json_t *body = json_object();
    set_string(body, "Image", conf->image);
    json_object_set_new(body, "Cmd", command(conf));
    set_string(body, "User", "65534:65534");
    set_string(body, "WorkingDir", "/tmp");
    set_string(body, "Hostname", "vve");
    json_object_set_new(body, "Env",
                        json_pack("[s, s, s]", "PATH=/usr/local/bin:/usr/bin:/bin",
                                  "PYTHONUNBUFFERED=1", "HOME=/tmp"));
    set_bool(body, "AttachStdin", true);
    set_bool(body, "OpenStdin", true);
    set_bool(body, "StdinOnce", true);
    set_bool(body, "AttachStdout", true);
    set_bool(body, "AttachStderr", true);
    set_bool(body, "Tty", false);
    set_bool(body, "NetworkDisabled", true);
    json_object_set_new(body, "Labels",
                        json_pack("{s:s, s:s}", "vve", "1", "vve.worker", worker));
    json_object_set_new(body, "HostConfig", host_config(conf, seccomp));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL) {
        abort(); /* memory ended, or the configuration let through what is no UTF-8 */
    }
    return text;
}

char *spec_read_seccomp(const char *path, struct err *err)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        err_set(err, "seccomp_unreadable", "cannot read the seccomp profile %.120s: %s", path,
                strerrordesc_np(errno));
        return NULL;
    }
    char *text = mem_alloc(SPEC_SECCOMP_MAX_BYTES);
    size_t len = fread(text, 1, SPEC_SECCOMP_MAX_BYTES, file);
    fclose(file);
    json_t *profile = len < SPEC_SECCOMP_MAX_BYTES
                          ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL)
                          : NULL;
    free(text);
    char *line = json_is_string(json_object_get(profile, "defaultAction"))
                     ? json_dumps(profile, JSON_COMPACT)
                     : NULL;
    json_decref(profile);
    if (line == NULL) {
        err_set(err, "seccomp_invalid", "%.120s is no seccomp profile of at most %zu KB", path,
                SPEC_SECCOMP_MAX_BYTES / 1024);
    }
    return line;
}

/* Beginnings of the Engine's sentences about a limit that it will not apply. What it says about
 * anything else (CPU shares, IPv4 forwarding) does not touch what we promise. */
static const struct {
    const char *part;
    bool without_swap_harmless;
} lost_limits[] = {
    {"memory limit", false}, {"Memory limit", true}, /* "... swap limit ... Memory limited
                                                        without swap." */
    {"swap limit", true},    {"PIDs limit", false},  {"CPU CFS", false}, {"seccomp", false},
};

static bool limit_is_lost(const char *sentence, bool host_swaps)
{
    if (strstr(sentence, "without swap") != NULL) {
        return host_swaps;
    }
    for (size_t i = 0; i < sizeof lost_limits / sizeof lost_limits[0]; i++) {
        if (strstr(sentence, lost_limits[i].part) != NULL) {
            return !lost_limits[i].without_swap_harmless || host_swaps;
        }
    }
    return false;
}

bool spec_limits_hold(const char *warnings, bool host_swaps, struct err *err)
{
    for (const char *at = warnings; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        char sentence[200];
        snprintf(sentence, sizeof sentence, "%.*s", (int)(len < 199 ? len : 199), at);
        if (limit_is_lost(sentence, host_swaps)) {
            return err_set(err, "limits_not_applied", "the Docker Engine says: %s", sentence);
        }
        at += len + (at[len] == '\n' ? 1 : 0);
    }
    return true;
}
