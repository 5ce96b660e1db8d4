/* See conf.h. One row an option: everything about it - flag, environment variable, key in the
 * file, help, bounds, default - comes from that row. Runs once, before any thread. */
#include "conf/conf.h"

#include "base/mem.h"
#include "base/view.h"
#include "conf/check.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, FLAG, LIST, LISTEN, ROLE, LEVEL };

struct option {
    const char *name; /* --name, VVE_NAME, name = ... */
    enum kind kind;
    size_t offset; /* in struct conf */
    int min;
    int max;
    const char *initial;
    const char *value; /* its place-holder in --help, with the unit */
    const char *help;
};

#define AT(member) offsetof(struct conf, member)

/* Limits of the design first come as defaults here, and nowhere else. */
static const struct option options[] = {
    {"listen", LISTEN, 0, 0, 0, "0.0.0.0:8080", "ADDRESS:PORT",
     "where to serve HTTP; port 0: any free one"},
    {"redis", TEXT, AT(redis), 0, 0, "tcp://127.0.0.1:6379", "ADDRESS",
     "unix:/path or tcp://host:port"},
    {"docker-socket", TEXT, AT(docker_socket), 0, 0, "/var/run/docker.sock", "PATH",
     "the Docker Engine's socket"},
    {"image", TEXT, AT(image), 0, 0, "vve-runner:latest", "NAME", "image that programs run in"},
    {"runtime", TEXT, AT(runtime), 0, 0, "", "NAME",
     "container runtime, such as runsc; none: the Engine's own"},
    {"seccomp", TEXT, AT(seccomp), 0, 0, "/etc/vve/seccomp.json", "FILE",
     "system call profile of the programs"},
    {"web-root", TEXT, AT(web_root), 0, 0, "/usr/share/vve/web", "FOLDER", "the built page"},
    {"lock-dir", TEXT, AT(lock_dir), 0, 0, "/run/lock", "FOLDER",
     "the slot locks, shared by all daemons of this host"},
    {"role", ROLE, 0, 0, 0, "all", "ROLE", "gateway (serves), worker (runs programs) or all"},
    {"slots", NUMBER, AT(slots), 0, 2, "2", "COUNT", "programs that run at the same time"},
    {"rate-limit", NUMBER, AT(rate_limit), 0, 100000, "10", "COUNT",
     "runs a minute, for each client; 0: unlimited"},
    {"queue-max", NUMBER, AT(queue_max), 1, 100000, "100", "COUNT", "runs that may wait"},
    {"code-bytes", NUMBER, AT(code_bytes), 1, 65536, "5120", "BYTES", "largest program"},
    {"stdin-bytes", NUMBER, AT(stdin_bytes), 0, 65536, "5120", "BYTES",
     "largest input given with a run"},
    {"body-bytes", NUMBER, AT(body_bytes), 1024, 1048576, "65536", "BYTES",
     "largest request body"},
    {"output-bytes", NUMBER, AT(output_bytes), 1, 1048576, "10240", "BYTES",
     "output kept of a run"},
    {"flood-bytes", NUMBER, AT(flood_bytes), 0, 1 << 30, "1048576", "BYTES",
     "output beyond that at which a run is stopped"},
    {"run-ms", NUMBER, AT(run_ms), 100, 600000, "5000", "MILLISECONDS", "time a run may take"},
    {"input-ms", NUMBER, AT(input_ms), 100, 600000, "30000", "MILLISECONDS",
     "time beyond that which a run may wait for live input"},
    {"memory-bytes", NUMBER, AT(memory_bytes), 16777216, INT_MAX, "134217728", "BYTES",
     "memory of a run"},
    {"cpu-millis", NUMBER, AT(cpu_millis), 10, 64000, "500", "COUNT",
     "thousandths of a processor for a run"},
    {"pids", NUMBER, AT(pids), 8, 4096, "64", "COUNT", "processes and threads of a run"},
    {"job-ttl", NUMBER, AT(job_ttl_s), 10, 86400, "600", "SECONDS",
     "how long a result is kept"},
    {"wait-ms", NUMBER, AT(wait_ms), 100, 600000, "30000", "MILLISECONDS",
     "how long ?wait=true may wait"},
    {"connections-per-client", NUMBER, AT(connections_per_client), 1, 1000000, "200", "COUNT",
     "open connections of a client"},
    {"readers-per-client", NUMBER, AT(readers_per_client), 1, 1000000, "20", "COUNT",
     "open event streams of a client"},
    {"rooms-per-minute", NUMBER, AT(rooms_per_minute), 0, 1000000, "30", "COUNT",
     "rooms that a client may make a minute; 0: unlimited"},
    {"room-people", NUMBER, AT(room_people), 1, 100000, "200", "COUNT",
     "connections of a room"},
    {"room-bytes", NUMBER, AT(room_bytes), 1024, 1 << 26, "2097152", "BYTES",
     "largest document, encoded"},
    {"rooms-bytes", NUMBER, AT(rooms_bytes), 1 << 20, INT_MAX, "134217728", "BYTES",
     "memory of all documents together"},
    {"room-idle-ms", NUMBER, AT(room_idle_ms), 0, 86400000, "60000", "MILLISECONDS",
     "how long an empty room stays in memory"},
    {"room-ttl", NUMBER, AT(room_ttl_s), 60, INT_MAX, "2592000", "SECONDS",
     "how long a document is kept after its last edit"},
    {"compact-updates", NUMBER, AT(compact_updates), 1, 100000, "500", "COUNT",
     "updates in a room's log before they become a snapshot"},
    {"message-bytes", NUMBER, AT(message_bytes), 1024, 1 << 26, "1048576", "BYTES",
     "largest message of a WebSocket"},
    {"queue-bytes", NUMBER, AT(queue_bytes), 4096, 1 << 26, "262144", "BYTES",
     "what may wait for a slow connection before it is cut short"},
    {"keepalive-ms", NUMBER, AT(keepalive_ms), 50, 3600000, "20000", "MILLISECONDS",
     "a connection with nothing else to tell gets a message so often"},
    {"ping-ms", NUMBER, AT(ping_ms), 50, 3600000, "25000", "MILLISECONDS",
     "a peer that was silent so long is asked whether it is there"},
    {"drain-ms", NUMBER, AT(drain_ms), 0, 600000, "8000", "MILLISECONDS",
     "how long a stopping daemon lets runs finish"},
    {"trusted-proxy", LIST, AT(trusted_proxies), 0, 0, "", "ADDRESS,...",
     "proxies whose X-Forwarded-For counts"},
    {"allow-origin", LIST, AT(allow_origins), 0, 0, "", "ORIGIN,...",
     "other origins whose pages may call the API: scheme://host[:port]; https://name-*.host"},
    {"metrics-public", FLAG, AT(metrics_public), 0, 0, "no", "[=yes|no]",
     "serve /metrics to everybody"},
    {"log-level", LEVEL, AT(log_level), 0, 0, "info", "LEVEL", "debug, info, warn or error"},
};

#define OPTION_COUNT (sizeof options / sizeof options[0])

/* --- one value --------------------------------------------------------------------------- */

static void *field(struct conf *conf, const struct option *option)
{
    return (char *)conf + option->offset;
}

static bool parse_number(const char *text, int min, int max, int *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0 || value < min || value > max) {
        return false;
    }
    *out = (int)value;
    return true;
}

static bool parse_flag(const char *text, bool *out)
{
    *out = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *out || strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ||
           strcmp(text, "0") == 0;
}

static void replace(char **slot, char *value)
{
    free(*slot);
    *slot = value;
}

/* "127.0.0.1:8080", "[::1]:8080" or ":8080" (every address). */
static bool parse_listen(struct conf *conf, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_number(colon + 1, 0, 65535, &conf->listen_port)) {
        return false;
    }
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        replace(&conf->listen_host, mem_copy(text + 1, len - 2));
    } else {
        replace(&conf->listen_host, len > 0 ? mem_copy(text, len) : mem_string("0.0.0.0"));
    }
    return true;
}

static bool parse_role(struct conf *conf, const char *text)
{
    bool all = strcmp(text, "all") == 0;
    conf->gateway = all || strcmp(text, "gateway") == 0;
    conf->worker = all || strcmp(text, "worker") == 0;
    return conf->gateway || conf->worker;
}

/* Comma-separated values are added to the list. */
static bool add_to_list(char **list, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        int used = 0;
        while (list[used] != NULL) {
            used++;
        }
        if (used == CONF_LIST_MAX - 1) {
            return false;
        }
        list[used] = mem_copy(text, len);
        text += len + (text[len] == ',');
    }
    return true;
}

static const char *wanted(const struct option *option, char *text, size_t cap)
{
    switch (option->kind) {
    case NUMBER:
        snprintf(text, cap, "a number from %d to %d", option->min, option->max);
        return text;
    case FLAG:
        return "yes or no";
    case LISTEN:
        return "ADDRESS:PORT";
    case ROLE:
        return "gateway, worker or all";
    case LEVEL:
        return "debug, info, warn or error";
    case LIST:
        snprintf(text, cap, "at most %d values", CONF_LIST_MAX - 1);
        return text;
    case TEXT:
        break;
    }
    return "a value";
}

static bool set_option(struct conf *conf, const struct option *option, const char *value,
                       const char *where, struct err *err)
{
    bool ok = true;
    switch (option->kind) {
    case TEXT:
        replace(field(conf, option), mem_string(value));
        break;
    case NUMBER:
        ok = parse_number(value, option->min, option->max, field(conf, option));
        break;
    case FLAG:
        ok = parse_flag(value, field(conf, option));
        break;
    case LIST:
        ok = add_to_list(field(conf, option), value);
        break;
    case LISTEN:
        ok = parse_listen(conf, value);
        break;
    case ROLE:
        ok = parse_role(conf, value);
        break;
    case LEVEL:
        ok = log_level_parse(value, field(conf, option));
        break;
    }
    char text[64];
    return ok || err_set(err, "bad_option", "%s: %s must be %s, not \"%.60s\".", where,
                         option->name, wanted(option, text, sizeof text), value);
}

static const struct option *find_option(struct view name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (view_equals(name, options[i].name)) {
            return &options[i];
        }
    }
    return NULL;
}

/* --- the four sources -------------------------------------------------------------------- */

static void set_defaults(struct conf *conf)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        struct err err;
        if (!set_option(conf, &options[i], options[i].initial, "default", &err)) {
            fprintf(stderr, "%s\n", err.text);
            abort(); /* the table contradicts itself */
        }
    }
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

static bool set_from_line(struct conf *conf, char *line, const char *where, struct err *err)
{
    char *text = trim(line);
    if (*text == '\0' || *text == '#') {
        return true;
    }
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        return err_set(err, "bad_option", "%s: expected \"name = value\".", where);
    }
    *equals = '\0';
    const struct option *option = find_option(view_of(trim(text)));
    if (option == NULL) {
        return err_set(err, "bad_option", "%s: there is no option \"%.60s\".", where,
                       trim(text));
    }
    return set_option(conf, option, trim(equals + 1), where, err);
}

static bool set_from_file(struct conf *conf, const char *path, struct err *err)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return err_set(err, "bad_option", "%.100s: %s.", path, strerror(errno));
    }
    char line[4096];
    bool ok = true;
    for (int number = 1; ok && fgets(line, sizeof line, file) != NULL; number++) {
        char where[160];
        snprintf(where, sizeof where, "%.100s line %d", path, number);
        ok = set_from_line(conf, line, where, err);
    }
    fclose(file);
    return ok;
}

static void environment_name(const struct option *option, char out[64])
{
    int len = snprintf(out, 64, "VVE_%s", option->name);
    for (int i = 4; i < len; i++) {
        out[i] = (char)(out[i] == '-'                    ? '_'
                        : out[i] >= 'a' && out[i] <= 'z' ? out[i] - 'a' + 'A'
                                                         : out[i]);
    }
}

static bool set_from_environment(struct conf *conf, struct err *err)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[64];
        environment_name(&options[i], name);
        const char *value = getenv(name);
        if (value != NULL && !set_option(conf, &options[i], value, name, err)) {
            return false;
        }
    }
    return true;
}

static const char *value_of_flag(int argc, char **argv, const char *flag)
{
    size_t len = strlen(flag);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], flag, len) == 0 && argv[i][len] == '=') {
            return argv[i] + len + 1;
        }
        if (strcmp(argv[i], flag) == 0 && i + 1 < argc) {
            return argv[i + 1];
        }
    }
    return NULL;
}

static bool set_from_flags(struct conf *conf, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        if (strncmp(flag, "--", 2) != 0) {
            return err_set(err, "bad_option", "\"%.60s\" is no option; see --help.", flag);
        }
        const char *equals = strchr(flag, '=');
        struct view name = {flag + 2,
                            equals != NULL ? (size_t)(equals - flag - 2) : strlen(flag + 2)};
        if (view_equals(name, "check")) {
            conf->check_only = true;
            continue;
        }
        bool is_file = view_equals(name, "config");
        const struct option *option = find_option(name);
        if (option == NULL && !is_file) {
            return err_set(err, "bad_option", "There is no option \"%.60s\"; see --help.",
                           flag);
        }
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (value == NULL && option != NULL && option->kind == FLAG) {
            value = "yes";
        }
        if (value == NULL && ++i == argc) {
            return err_set(err, "bad_option", "%.60s wants a value.", flag);
        }
        value = value != NULL ? value : argv[i];
        if (option != NULL && !set_option(conf, option, value, flag, err)) {
            return false;
        }
    }
    return true;
}

/* --- help -------------------------------------------------------------------------------- */

static void print_row(FILE *out, const char *name, const char *value, const char *help,
                      const char *initial)
{
    char flag[64];
    bool spaced = *value != '\0' && *value != '[';
    snprintf(flag, sizeof flag, "--%s%s%s", name, spaced ? " " : "", value);
    fprintf(out, "  %-30s  %s", flag, help);
    if (*initial != '\0') {
        fprintf(out, " [%s]", initial);
    }
    fputc('\n', out);
}

static void print_help(FILE *out)
{
    fputs("Usage: vve [OPTION]...\n\n"
          "Serves an editor page and an API that run Python programs, each in a container of\n"
          "its own. Options, with their defaults in brackets:\n\n",
          out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = &options[i];
        print_row(out, o->name, o->value, o->help, o->initial);
    }
    print_row(out, "config", "FILE", "read options from a file", "");
    print_row(out, "check", "", "check the configuration and exit", "");
    print_row(out, "version", "", "print the version and exit", "");
    print_row(out, "help", "", "print this and exit", "");
    fputs(
        "\nA value comes from defaults, file, VVE_* environment, flags; the last wins, but "
        "lists\n"
        "(...) add up. The file is the one that --config names, or else VVE_CONFIG. The same\n"
        "value as a flag, in the environment, and as a line of the file:\n\n"
        "  --rate-limit 5    (or --rate-limit=5)\n"
        "  VVE_RATE_LIMIT=5\n"
        "  rate-limit = 5\n",
        out);
}

/* --- loading ----------------------------------------------------------------------------- */

static bool asked(int argc, char **argv, const char *flag)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], flag) == 0) {
            return true;
        }
    }
    return false;
}

enum conf_outcome conf_load(int argc, char **argv, struct conf *conf, FILE *out,
                            struct err *err)
{
    *conf = (struct conf){0};
    if (asked(argc, argv, "--help")) {
        print_help(out);
        return CONF_DONE;
    }
    if (asked(argc, argv, "--version")) {
        fprintf(out, "vve %s\n", VVE_VERSION);
        return CONF_DONE;
    }
    set_defaults(conf);
    const char *file = value_of_flag(argc, argv, "--config");
    file = file != NULL ? file : getenv("VVE_CONFIG");
    if ((file != NULL && !set_from_file(conf, file, err)) || !set_from_environment(conf, err) ||
        !set_from_flags(conf, argc, argv, err) || !conf_check(conf, err)) {
        return CONF_BAD;
    }
    if (conf->check_only) {
        fprintf(out, "the configuration is good\n");
        return CONF_DONE;
    }
    return CONF_RUN;
}

void conf_finish(struct conf *conf)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (options[i].kind == TEXT) {
            free(*(char **)field(conf, &options[i]));
        } else if (options[i].kind == LIST) {
            char **list = field(conf, &options[i]);
            for (int n = 0; n < CONF_LIST_MAX; n++) {
                free(list[n]);
            }
        }
    }
    free(conf->listen_host);
    *conf = (struct conf){0};
}
