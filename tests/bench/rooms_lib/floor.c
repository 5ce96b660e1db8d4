/* The floor of tests/bench/rooms: what fan-out costs if there is nothing but send(). The process
 * sends the frame of one appended character to all people of a room but one, room after room, on
 * time; a child of it is at the other end of the sockets and only reads. No WebSocket, no rooms, no
 * documents, nothing received. Prints its figures as one line of JSON.
 *
 *     floor ROOMS PEOPLE RATE SECONDS WARM      as of load fan
 */
#include "gauge.h"
#include "wire.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define MESSAGE_MAX 128

/* All frames are of one length, so that a reader can tell them by counting: clocks of two bytes. */
#define FIRST_CLOCK 128
#define LAST_CLOCK 16383

/* What both processes know. */
struct shared {
    struct tally latencies;
    uint64_t arrived;
};

static size_t rooms, people, count;
static uint64_t edits, warm, turns;
static struct shared *shared;
static uint64_t
    *sent_ns; /* [socket][frame], in memory that is shared as well; 0: does not count */

static size_t frame_of(uint8_t *out, size_t writer, uint64_t turn)
{
    uint8_t update[UPDATE_MAX];
    uint8_t message[MESSAGE_MAX];
    const uint64_t clock = FIRST_CLOCK + turn % (LAST_CLOCK - FIRST_CLOCK);
    const size_t len = update_append(update, 0x40000000U + writer, clock + 1);
    uint8_t *at = write_uint(message, 0);
    at = write_uint(at, 2);
    at = write_bytes(at, update, len);
    const size_t message_len = (size_t)(at - message);
    at = frame_header(out, OPCODE_BINARY, message_len);
    memcpy(at, message, message_len);
    return (size_t)(at - out) + message_len;
}

static void *shared_memory(size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fail("no memory");
    }
    return memory;
}

/* --- the other end --------------------------------------------------------------------------- */

static void hear(size_t socket, uint64_t frame)
{
    const uint64_t sent = __atomic_load_n(&sent_ns[socket * turns + frame], __ATOMIC_ACQUIRE);
    if (sent != 0) {
        tally_add(&shared->latencies, now_ns() - sent);
        __atomic_add_fetch(&shared->arrived, 1, __ATOMIC_RELEASE);
    }
}

static void read_all(const int *sockets, size_t frame_len)
{
    static uint8_t chunk[65536];
    uint64_t *received = calloc(count, sizeof *received);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event);
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        const int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            const size_t socket = events[i].data.u64;
            const ssize_t len = recv(sockets[socket], chunk, sizeof chunk, 0);
            if (len <= 0) {
                _exit(0);
            }
            const uint64_t before = received[socket] / frame_len;
            received[socket] += (uint64_t)len;
            for (uint64_t f = before; f < received[socket] / frame_len; f++) {
                hear(socket, f);
            }
        }
    }
}

/* --- this end -------------------------------------------------------------------------------- */

static void pairs(int *here, int *there)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t len = sizeof address;
    const int yes = 1;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, any, len) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, any, &len) != 0) {
        fail("listen: %s", strerror(errno));
    }
    for (size_t i = 0; i < count; i++) {
        there[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (there[i] < 0 || connect(there[i], any, sizeof address) != 0) {
            fail("connect: %s", strerror(errno));
        }
        here[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (here[i] < 0) {
            fail("accept: %s", strerror(errno));
        }
        setsockopt(here[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    close(listener);
}

static void sleep_until(uint64_t ns)
{
    const struct timespec time = {
        .tv_sec = (time_t)(ns / SECOND),
        .tv_nsec = (long)(ns % SECOND),
    };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* Returns the time on the processor of what counts, and how many sends that is. */
static uint64_t send_all(const int *sockets, double interval_ns, uint64_t *sends)
{
    uint64_t *frames = calloc(count, sizeof *frames);
    uint64_t mark = 0;
    const uint64_t begin = now_ns();
    for (uint64_t edit = 0; edit < edits; edit++) {
        const uint64_t due = begin + (uint64_t)((double)edit * interval_ns);
        if (due > now_ns()) {
            sleep_until(due);
        }
        if (edit == warm) {
            mark = cpu_ns(getpid());
        }
        const size_t room = edit % rooms;
        const size_t writer = room * people + (edit / rooms) % people;
        uint8_t frame[MESSAGE_MAX + HEADER_MAX];
        const size_t len = frame_of(frame, writer, edit / count);
        const uint64_t now = now_ns();
        for (size_t i = room * people; i < (room + 1) * people; i++) {
            if (i == writer) {
                continue;
            }
            uint64_t *sent = &sent_ns[i * turns + frames[i]++];
            __atomic_store_n(sent, edit < warm ? 0 : now, __ATOMIC_RELEASE);
            if (send(sockets[i], frame, len, MSG_NOSIGNAL) != (ssize_t)len) {
                fail("send: %s", strerror(errno));
            }
            *sends += edit < warm ? 0 : 1;
        }
    }
    free(frames);
    return cpu_ns(getpid()) - mark;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: floor ROOMS PEOPLE RATE SECONDS WARM\n");
        return 2;
    }
    rooms = strtoul(argv[1], NULL, 10);
    people = strtoul(argv[2], NULL, 10);
    count = rooms * people;
    const double rate = strtod(argv[3], NULL) / (double)(people - 1);
    warm = (uint64_t)(rate * strtod(argv[5], NULL));
    edits = warm + (uint64_t)(rate * strtod(argv[4], NULL));
    turns = edits / rooms + 1;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    shared = shared_memory(sizeof *shared);
    sent_ns = shared_memory(count * turns * sizeof *sent_ns);
    int *here = calloc(count, sizeof *here);
    int *there = calloc(count, sizeof *there);
    pairs(here, there);
    uint8_t frame[MESSAGE_MAX + HEADER_MAX];
    const size_t frame_len = frame_of(frame, 0, 0);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        read_all(there, frame_len);
    }
    uint64_t sends = 0;
    const uint64_t cpu = send_all(here, (double)SECOND / rate, &sends);
    const uint64_t end = now_ns() + 5 * SECOND;
    while (__atomic_load_n(&shared->arrived, __ATOMIC_ACQUIRE) < sends && now_ns() < end) {
        sleep_until(now_ns() + SECOND / 100);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("{\"cpu\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"arrived\":%" PRIu64
           ",\"bytes\":%zu,\"p50\":%.1f,\"p99\":%.1f}\n",
           cpu, sends, shared->arrived, frame_len, tally_us(&shared->latencies, 0.5),
           tally_us(&shared->latencies, 0.99));
    return 0;
}
