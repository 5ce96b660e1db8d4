/* Many clients of one server, cheap enough that it is the server which is measured: one thread, one
 * epoll. Each does what a y-websocket provider does - upgrade, sync step 1, the answer to the
 * server's step 1, its presence, pongs - except for keeping a document. Whatever the server does
 * that it must not (refuse, close, say what is no protocol) ends the program with a message. */
#ifndef BENCH_PEOPLE_H
#define BENCH_PEOPLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the servers differ. */
struct dialect {
    const char *name;
    const char
        *path;      /* in front of the room; all there is of it if rooms are in the messages */
    bool addressed; /* as Hocuspocus: the room is in front of each message, and a client shows a
                         token first */
};

const struct dialect *dialect_named(const char *name);

enum stage {
    STAGE_NEW,
    STAGE_CONNECTING,
    STAGE_UPGRADING,
    STAGE_SYNCING,
    STAGE_SYNCED,
    STAGE_LEAVING,
    STAGE_GONE
};

struct bytes {
    uint8_t *at;
    size_t len;
    size_t cap;
};

struct person {
    enum stage stage;
    bool present; /* announces itself */
    int socket;
    uint32_t number; /* in people.list */
    uint32_t room;
    uint64_t client; /* its id in documents */
    uint64_t began_ns, synced_ns;
    size_t synced_bytes;         /* of the newest answer to a step 1 */
    uint32_t answers;            /* so many of them */
    const struct bytes *offline; /* an update that the server gets when it asks, or NULL */
    struct bytes in;             /* a frame that has not wholly come */
    struct bytes message;        /* parts of a message that has not wholly come */
    struct bytes out;            /* what the socket did not take yet */
};

/* An update came: `count` characters of `client` from `clock` on. */
typedef void person_heard(struct person *person, uint64_t client, uint64_t clock,
                          uint64_t count);

struct people {
    const struct dialect *dialect;
    struct sockaddr_in server;
    const char *tag; /* part of the rooms' names */
    int epoll;
    struct person *list;
    size_t count;
    size_t upgraded, synced, gone;
    person_heard *heard; /* may be NULL */
};

/* `each` of them share a room. */
void people_init(struct people *people, const struct dialect *dialect, uint16_t port,
                 const char *tag, size_t count, size_t each);

/* Whoever has not left is gone without a word. */
void people_finish(struct people *people);

/* Takes one look at the sockets, waiting at most so long for something to come. */
void people_turn(struct people *people, uint64_t wait_ns);

/* Lets people of the list from `from` on enter, of whom at most `window` are on their way to an
 * upgrade at a time, and returns when all of them are synced. */
void people_enter(struct people *people, size_t from, size_t count, size_t window);

/* Closes their connections as a browser does, and returns when the server has, too. */
void people_leave(struct people *people, size_t from, size_t count);

/* Asks for what a client lacks that has nothing, and returns when the answer is there. */
void person_ask(struct people *people, struct person *person);

/* Appends one character; `clock` is how many this person has appended before. */
void person_type(struct people *people, struct person *person, uint64_t clock);

#endif
