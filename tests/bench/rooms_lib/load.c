/* The clients of tests/bench/rooms: does one thing to a server and prints its figures as one line of
 * JSON. What the server used is read from /proc.
 *
 *     load DIALECT PORT PID TAG fan ROOMS PEOPLE RATE SECONDS WARM   RATE deliveries a second, for
 *                                                so long, after WARM seconds of the same
 *     load DIALECT PORT PID TAG idle CLIENTS PEOPLE SETTLE LEFT      connected for SETTLE seconds,
 *                                                looked at LEFT seconds after all have left
 *     load DIALECT PORT PID TAG late STATE JOINS                     one joiner after the other
 *     load DIALECT PORT PID TAG crowd STATE JOINERS PRESENT          all at once
 *
 * TAG is part of the rooms' names; PID may be PID,PID: the second is a process beside the server.
 * A delivery is one character that arrives at somebody who did not write it, whether the server
 * sends it alone or together with others.
 */
#include "gauge.h"
#include "people.h"
#include "wire.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not more of them are on their way to an upgrade than fit into the backlog of a Node server. */
#define WINDOW_AT_ONCE 500
#define WINDOW 100

/* Deliveries are given up for lost if none came for so long. */
#define DRAIN (5 * SECOND)

/* The server under load, and what it had used when it was last looked at. */
struct server {
    const struct dialect *dialect;
    uint16_t port;
    pid_t pid, beside; /* beside is 0 if there is none */
    const char *tag;
    uint64_t cpu, cpu_beside, cpu_own;
};

static void server_mark(struct server *server)
{
    server->cpu = cpu_ns(server->pid);
    server->cpu_beside = server->beside == 0 ? 0 : cpu_ns(server->beside);
    server->cpu_own = cpu_ns(getpid());
}

/* What was used since the mark. */
static void server_print(const struct server *server)
{
    printf("\"cpu\":%" PRIu64 ",\"cpuBeside\":%" PRIu64 ",\"cpuOwn\":%" PRIu64,
           cpu_ns(server->pid) - server->cpu,
           server->beside == 0 ? 0 : cpu_ns(server->beside) - server->cpu_beside,
           cpu_ns(getpid()) - server->cpu_own);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fail("no memory");
    }
    return memory;
}

static uint64_t number(const char *text)
{
    char *end;
    const uint64_t value = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
        fail("%s is no number", text);
    }
    return value;
}

static void wait_for(struct people *people, uint64_t ns)
{
    const uint64_t end = now_ns() + ns;
    for (uint64_t now; (now = now_ns()) < end;) {
        people_turn(people, end - now);
    }
}

static struct bytes file_bytes(const char *path)
{
    struct stat stat;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &stat) != 0) {
        fail("%s cannot be read", path);
    }
    const size_t len = (size_t)stat.st_size;
    const struct bytes bytes = {.at = allocate(len, 1), .len = len, .cap = len};
    if (read(file, bytes.at, len) != stat.st_size) {
        fail("%s cannot be read", path);
    }
    close(file);
    return bytes;
}

/* --- fan-out --------------------------------------------------------------------------------- */

/* Whose turn it is goes around the rooms, and in each around its people. */
struct fan {
    size_t rooms, each;
    uint64_t edits, warm; /* to be made in all, and how many of them do not count */
    uint64_t made;
    uint64_t turns;    /* at most, of one person */
    uint64_t *sent_ns; /* [person][turn] */
    uint32_t *heard;   /* [person][neighbour]: so many characters */
    uint64_t expected, arrived;
    uint64_t lost; /* characters whose successors came first */
    struct tally latencies, delays;
};

static struct fan fan;

static size_t fan_person(uint64_t edit)
{
    return (edit % fan.rooms) * fan.each + (edit / fan.rooms) % fan.each;
}

/* The number of the edit that was this person's turn. */
static uint64_t fan_edit(size_t person, uint64_t turn)
{
    return (turn * fan.each + person % fan.each) * fan.rooms + person / fan.each;
}

static void fan_heard(struct person *person, uint64_t client, uint64_t clock, uint64_t count)
{
    const uint64_t now = now_ns();
    const uint64_t writer = client - 0x40000000U;
    if (writer / fan.each != person->room) {
        fail("person %u heard of somebody in another room", person->number);
    }
    if (writer == person->number) {
        return;
    }
    uint32_t *heard = &fan.heard[(size_t)person->number * fan.each + writer % fan.each];
    if (clock > *heard) {
        fan.lost += clock - *heard;
        *heard = (uint32_t)clock;
    }
    for (uint64_t turn = *heard; turn < clock + count; turn++) {
        *heard = (uint32_t)turn + 1;
        if (fan_edit(writer, turn) >= fan.warm) {
            fan.arrived += 1;
            tally_add(&fan.latencies, now - fan.sent_ns[writer * fan.turns + turn]);
        }
    }
}

static void fan_write(struct people *people, uint64_t due)
{
    const size_t writer = fan_person(fan.made);
    const uint64_t turn = fan.made / (fan.rooms * fan.each);
    const uint64_t now = now_ns();
    fan.sent_ns[writer * fan.turns + turn] = now;
    person_type(people, &people->list[writer], turn);
    if (fan.made >= fan.warm) {
        fan.expected += fan.each - 1;
        tally_add(&fan.delays, now - due);
    }
    fan.made += 1;
}

static void fan_run(struct people *people, struct server *server, double interval_ns)
{
    const uint64_t begin = now_ns();
    while (fan.made < fan.edits) {
        const uint64_t due = begin + (uint64_t)((double)fan.made * interval_ns);
        const uint64_t now = now_ns();
        if (now >= due) {
            if (fan.made == fan.warm) {
                server_mark(server);
            }
            fan_write(people, due);
        }
        people_turn(people, now >= due ? 0 : due - now);
    }
    uint64_t arrived = fan.arrived;
    uint64_t end = now_ns() + DRAIN;
    while (fan.arrived < fan.expected && now_ns() < end) {
        people_turn(people, SECOND / 100);
        if (fan.arrived > arrived) {
            arrived = fan.arrived;
            end = now_ns() + DRAIN;
        }
    }
}

static void run_fan(struct server *server, char **argv)
{
    fan.rooms = number(argv[0]);
    fan.each = number(argv[1]);
    const size_t count = fan.rooms * fan.each;
    const double rate = (double)number(argv[2]) / (double)(fan.each - 1);
    fan.warm = (uint64_t)(rate * (double)number(argv[4]));
    fan.edits = fan.warm + (uint64_t)(rate * (double)number(argv[3]));
    fan.turns = fan.edits / count + 1;
    fan.sent_ns = allocate(count * fan.turns, sizeof *fan.sent_ns);
    fan.heard = allocate(count * fan.each, sizeof *fan.heard);
    struct people people;
    people_init(&people, server->dialect, server->port, server->tag, count, fan.each);
    people.heard = fan_heard;
    people_enter(&people, 0, count, WINDOW);
    fan_run(&people, server, (double)SECOND / rate);
    printf("{");
    server_print(server);
    printf(",\"expected\":%" PRIu64 ",\"arrived\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"p50\":%.1f,\"p99\":%.1f,\"longest\":%.1f,\"late\":%.1f}\n",
           fan.expected, fan.arrived, fan.lost, tally_us(&fan.latencies, 0.5),
           tally_us(&fan.latencies, 0.99), (double)fan.latencies.longest_ns / 1000,
           tally_us(&fan.delays, 0.99));
    people_leave(&people, 0, count);
    people_finish(&people);
    free(fan.sent_ns);
    free(fan.heard);
}

/* --- idle ------------------------------------------------------------------------------------ */

static void run_idle(struct server *server, char **argv)
{
    const size_t count = number(argv[0]);
    struct people people;
    people_init(&people, server->dialect, server->port, server->tag, count, number(argv[1]));
    for (size_t i = 0; i < count; i++) {
        people.list[i].present = true;
    }
    const uint64_t start = memory_bytes(server->pid);
    const uint64_t begin = now_ns();
    people_enter(&people, 0, count, WINDOW);
    const uint64_t entered = now_ns() - begin;
    wait_for(&people, number(argv[2]) * SECOND);
    const uint64_t full = memory_bytes(server->pid);
    people_leave(&people, 0, count);
    wait_for(&people, number(argv[3]) * SECOND);
    const uint64_t left = memory_bytes(server->pid);
    printf("{\"start\":%" PRIu64 ",\"full\":%" PRIu64 ",\"left\":%" PRIu64
           ",\"entered\":%" PRIu64 "}\n",
           start, full, left, entered);
    people_finish(&people);
}

/* --- joiners --------------------------------------------------------------------------------- */

/* Person 0 brings the document, as somebody who made it offline, and stays. */
static void bring(struct people *people, const struct bytes *state)
{
    struct person *author = &people->list[0];
    author->offline = state;
    people_enter(people, 0, 1, 1);
    person_ask(people, author);
    if (author->synced_bytes < state->len) {
        fail("the document has %zu bytes, not %zu", author->synced_bytes, state->len);
    }
    author->offline = NULL;
    person_type(people, author, 0);
    person_ask(people, author);
}

static uint64_t join_ns(struct people *people, size_t number, const struct bytes *state)
{
    const struct person *person = &people->list[number];
    people_enter(people, number, 1, 1);
    if (person->synced_bytes < state->len) {
        fail("a joiner got %zu bytes, not %zu", person->synced_bytes, state->len);
    }
    people_leave(people, number, 1);
    return person->synced_ns - person->began_ns;
}

static void run_late(struct server *server, char **argv)
{
    const struct bytes state = file_bytes(argv[0]);
    const size_t joins = number(argv[1]);
    struct people people;
    people_init(&people, server->dialect, server->port, server->tag, 1 + 2 * joins,
                1 + 2 * joins);
    bring(&people, &state);
    struct tally edited = {0};
    struct tally again = {0};
    for (size_t i = 0; i < joins; i++) {
        person_type(&people, &people.list[0], 1 + i);
        wait_for(&people, SECOND / 20);
        tally_add(&edited, join_ns(&people, 1 + 2 * i, &state));
        wait_for(&people, SECOND / 20);
        tally_add(&again, join_ns(&people, 2 + 2 * i, &state));
    }
    people_leave(&people, 0, 1);
    people_finish(&people);
    free(state.at);
    printf("{\"edited\":%.1f,\"editedLongest\":%.1f,\"again\":%.1f}\n", tally_us(&edited, 0.5),
           (double)edited.longest_ns / 1000, tally_us(&again, 0.5));
}

static void run_crowd(struct server *server, char **argv)
{
    const struct bytes state = file_bytes(argv[0]);
    const size_t count = number(argv[1]);
    struct people people;
    people_init(&people, server->dialect, server->port, server->tag, 1 + count, 1 + count);
    bring(&people, &state);
    for (size_t i = 1; i <= count; i++) {
        people.list[i].present = number(argv[2]) != 0;
    }
    server_mark(server);
    const uint64_t begin = now_ns();
    people_enter(&people, 1, count, WINDOW_AT_ONCE);
    const uint64_t all = now_ns() - begin;
    struct tally waits = {0};
    for (size_t i = 1; i <= count; i++) {
        const struct person *person = &people.list[i];
        if (person->synced_bytes < state.len) {
            fail("a joiner got %zu bytes, not %zu", person->synced_bytes, state.len);
        }
        tally_add(&waits, person->synced_ns - person->began_ns);
    }
    printf("{");
    server_print(server);
    printf(",\"all\":%" PRIu64 ",\"p50\":%.1f,\"p99\":%.1f}\n", all, tally_us(&waits, 0.5),
           tally_us(&waits, 0.99));
    people_finish(&people);
    free(state.at);
}

/* --- the program ----------------------------------------------------------------------------- */

static const struct task {
    const char *name;
    int arguments;
    void (*run)(struct server *server, char **argv);
} tasks[] = {
    {"fan", 5, run_fan},
    {"idle", 4, run_idle},
    {"late", 2, run_late},
    {"crowd", 3, run_crowd},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 5 && i < sizeof tasks / sizeof *tasks; i++) {
        if (strcmp(argv[5], tasks[i].name) == 0 && argc == 6 + tasks[i].arguments) {
            const char *beside = strchr(argv[3], ',');
            struct server server = {
                .dialect = dialect_named(argv[1]),
                .port = (uint16_t)number(argv[2]),
                .pid = (pid_t)strtol(argv[3], NULL, 10),
                .beside = beside == NULL ? 0 : (pid_t)number(beside + 1),
                .tag = argv[4],
            };
            tasks[i].run(&server, argv + 6);
            return 0;
        }
    }
    fprintf(stderr, "usage: see the top of load.c\n");
    return 2;
}
