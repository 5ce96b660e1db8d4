/* The engine's side of tests/bench/engine: does what it is told with files of updates (each with
 * its length in 4 bytes, little-endian, in front) and prints its figures as one line of JSON. Times
 * are in nanoseconds, memory in bytes.
 *
 *     ours feed UPDATES VECTOR|- OUT [news]   update by update; encodes, and what VECTOR lacks
 *     ours load STATE OUT                     one update
 *     ours growth UPDATES BOUND...            time per update up to each of the bounds
 *     ours attack COMMANDS SECONDS            one document with the usual limits; ends as the
 *                                             processor has worked so long
 */
#include "yc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define ROOT_NAME "monaco"
#define TIMES 9
#define CHUNK 65536
#define BATCH 10
#define STATUSES 5

static void fail(const char *why)
{
    fprintf(stderr, "ours: %s\n", why);
    exit(1);
}

static void must(enum yc_status status)
{
    if (status != YC_OK) {
        fail(yc_status_text(status));
    }
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* Bytes of memory that is this process's own and in use. */
static int64_t memory(void)
{
    char line[256];
    long long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtoll(line + 8, NULL, 10);
        }
    }
    if (kib < 0) {
        fail("the kernel does not say how much memory is in use");
    }
    fclose(status);
    return kib * 1024;
}

/* Documents of any size are compared, so the limit of bytes is out of the way. */
static struct yc_doc *doc_create(const struct yc_allocator *allocator)
{
    const struct yc_options options = {
        .limits = {.bytes = (size_t)4 << 30, .pending_bytes = 256U << 20},
        .allocator = allocator,
    };
    struct yc_doc *doc = yc_doc_create(&options);
    if (doc == NULL) {
        fail("no memory");
    }
    return doc;
}

/* --- files ----------------------------------------------------------------------------------- */

/* The records of a file, a chunk of them at a time. */
struct stream {
    FILE *file;
    uint8_t *bytes;
    size_t cap;
    size_t have;
    size_t at;
};

static struct stream stream_open(const char *path)
{
    struct stream stream = {.file = fopen(path, "rb"), .bytes = malloc(CHUNK), .cap = CHUNK};
    if (stream.file == NULL || stream.bytes == NULL) {
        fail("a file cannot be read");
    }
    memset(stream.bytes, 0, CHUNK); /* counts as used from the start */
    return stream;
}

static void stream_close(struct stream *stream)
{
    fclose(stream->file);
    free(stream->bytes);
}

/* Reads on; false at the end. */
static bool stream_fill(struct stream *stream)
{
    stream->have -= stream->at;
    memmove(stream->bytes, stream->bytes + stream->at, stream->have);
    stream->at = 0;
    if (stream->have == stream->cap) {
        stream->cap *= 2;
        stream->bytes = realloc(stream->bytes, stream->cap);
        if (stream->bytes == NULL) {
            fail("no memory");
        }
    }
    size_t got =
        fread(stream->bytes + stream->have, 1, stream->cap - stream->have, stream->file);
    stream->have += got;
    return got > 0;
}

/* The next record that is there as a whole. */
static bool stream_next(struct stream *stream, struct yc_slice *record)
{
    if (stream->have - stream->at < 4) {
        return false;
    }
    const uint8_t *head = stream->bytes + stream->at;
    size_t len =
        (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (len > stream->have - stream->at - 4) {
        return false;
    }
    *record = (struct yc_slice){head + 4, len};
    stream->at += 4 + len;
    return true;
}

static struct yc_slice read_all(const char *path)
{
    struct stream stream = stream_open(path);
    while (stream_fill(&stream)) {
    }
    fclose(stream.file);
    return (struct yc_slice){stream.bytes, stream.have};
}

static void write_all(const char *base, const char *suffix, const struct yc_buf *content)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", base, suffix);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(content->data, 1, content->len, file) != content->len ||
        fclose(file) != 0) {
        fail("a file cannot be written");
    }
}

static void write_result(struct yc_doc *doc, const char *out)
{
    struct yc_buf buf = {0};
    struct yc_type *root;
    must(yc_root(doc, yc_str(ROOT_NAME), YC_TEXT, &root));
    must(yc_text(root, &buf));
    write_all(out, ".text", &buf);
    must(yc_encode_state(doc, (struct yc_slice){NULL, 0}, &buf));
    write_all(out, ".state", &buf);
    yc_buf_free(&buf);
}

/* --- times ----------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static uint64_t median(uint64_t *times, size_t count)
{
    qsort(times, count, sizeof *times, by_value);
    return times[count / 2];
}

/* With memory of its own each time, as Yjs has it. */
static uint64_t time_of_encoding(const struct yc_doc *doc, struct yc_slice vector)
{
    uint64_t times[TIMES];
    for (int i = 0; i < TIMES; i++) {
        struct yc_buf buf = {0};
        uint64_t begin = now();
        must(yc_encode_state(doc, vector, &buf));
        times[i] = now() - begin;
        yc_buf_free(&buf);
    }
    return median(times, TIMES);
}

static void print_stats(const struct yc_doc *doc)
{
    struct yc_stats stats;
    yc_doc_stats(doc, &stats);
    printf("\"held\":%zu,\"items\":%zu", stats.bytes, stats.items);
}

/* --- tasks ----------------------------------------------------------------------------------- */

struct feeding {
    uint64_t updates;
    uint64_t apply;
    uint64_t news_bytes;
};

/* Applies what the stream has; the time is that of applying alone. */
static void feed_chunk(struct feeding *feeding, struct yc_doc *doc, struct stream *stream,
                       bool news)
{
    struct yc_slice update;
    struct yc_slice effective;
    uint64_t begin = now();
    while (stream_next(stream, &update)) {
        must(yc_apply(doc, update, news ? &effective : NULL));
        feeding->news_bytes += news ? effective.len : 0;
        feeding->updates++;
    }
    feeding->apply += now() - begin;
}

static void feed(const char *updates, const char *vector, const char *out, bool news)
{
    struct yc_doc *doc = doc_create(NULL);
    struct stream stream = stream_open(updates);
    struct feeding feeding = {0, 0, 0};
    int64_t before = memory();
    while (stream_fill(&stream)) {
        feed_chunk(&feeding, doc, &stream, news);
    }
    int64_t grown = memory() - before;
    stream_close(&stream);
    printf("{\"updates\":%ju,\"apply\":%ju,\"memory\":%jd,\"newsBytes\":%ju,",
           (uintmax_t)feeding.updates, (uintmax_t)feeding.apply, (intmax_t)grown,
           (uintmax_t)feeding.news_bytes);
    print_stats(doc);
    printf(",\"encode\":%ju", (uintmax_t)time_of_encoding(doc, (struct yc_slice){NULL, 0}));
    if (strcmp(vector, "-") != 0) {
        printf(",\"diff\":%ju", (uintmax_t)time_of_encoding(doc, read_all(vector)));
    }
    printf("}\n");
    write_result(doc, out);
    yc_doc_destroy(doc);
}

/* Counts what a document holds, and its peak. */
struct tally {
    size_t bytes;
    size_t peak;
};

static void *tally_resize(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct tally *tally = ctx;
    void *moved = NULL;
    if (size == 0) {
        free(ptr);
    } else if ((moved = realloc(ptr, size)) == NULL) {
        return NULL;
    }
    tally->bytes = tally->bytes - old_size + size;
    tally->peak = tally->bytes > tally->peak ? tally->bytes : tally->peak;
    return moved;
}

static size_t peak_of_loading(struct yc_slice state)
{
    struct tally tally = {0, 0};
    const struct yc_allocator allocator = {tally_resize, &tally};
    struct yc_doc *doc = doc_create(&allocator);
    must(yc_apply(doc, state, NULL));
    yc_doc_destroy(doc);
    return tally.peak;
}

static const char *with_default_limits(struct yc_slice state)
{
    struct yc_doc *doc = yc_doc_create(NULL);
    enum yc_status status = yc_apply(doc, state, NULL);
    yc_doc_destroy(doc);
    return status == YC_OK ? "ok" : yc_status_text(status);
}

static void load(const char *path, const char *out)
{
    struct yc_slice state = read_all(path);
    struct yc_doc *doc = doc_create(NULL);
    int64_t before = memory();
    uint64_t begin = now();
    must(yc_apply(doc, state, NULL));
    uint64_t first = now() - begin;
    int64_t grown = memory() - before;
    struct yc_doc *others[TIMES];
    uint64_t times[TIMES];
    for (int i = 0; i < TIMES; i++) {
        begin = now();
        others[i] = doc_create(NULL);
        must(yc_apply(others[i], state, NULL));
        times[i] = now() - begin;
    }
    for (int i = 0; i < TIMES; i++) {
        yc_doc_destroy(others[i]);
    }
    printf("{\"first\":%ju,\"again\":%ju,\"memory\":%jd,\"peak\":%zu,\"limits\":\"%s\",",
           (uintmax_t)first, (uintmax_t)median(times, TIMES), (intmax_t)grown,
           peak_of_loading(state), with_default_limits(state));
    print_stats(doc);
    printf("}\n");
    write_result(doc, out);
    yc_doc_destroy(doc);
}

/* The clock is read once for a batch of updates: reading it takes as long as some of them. */
static size_t time_batches(struct yc_doc *doc, struct stream *stream, uint64_t *times,
                           size_t batches)
{
    struct yc_slice update;
    size_t done = 0;
    for (size_t in_batch = 0; done < batches;) {
        uint64_t begin = now();
        while (in_batch < BATCH && stream_next(stream, &update)) {
            must(yc_apply(doc, update, NULL));
            in_batch++;
        }
        times[done] += now() - begin;
        if (in_batch == BATCH) {
            done++;
            in_batch = 0;
        } else if (!stream_fill(stream)) {
            break;
        }
    }
    return done;
}

static void growth_up_to(struct yc_doc *doc, struct stream *stream, size_t batches)
{
    uint64_t *times = calloc(batches, sizeof *times);
    if (times == NULL) {
        fail("no memory");
    }
    size_t done = time_batches(doc, stream, times, batches);
    uint64_t sum = 0;
    for (size_t i = 0; i < done; i++) {
        sum += times[i];
    }
    if (done == 0) {
        fail("there are not that many updates");
    }
    printf("{\"updates\":%zu,\"median\":%.1f,", done * BATCH,
           (double)median(times, done) / BATCH);
    printf("\"p99\":%.1f,\"mean\":%.1f,", (double)times[done * 99 / 100] / BATCH,
           (double)sum / (double)done / BATCH);
    print_stats(doc);
    printf("}");
    free(times);
}

static void growth(const char *path, char **bounds, int count)
{
    struct yc_doc *doc = doc_create(NULL);
    struct stream stream = stream_open(path);
    size_t before = 0;
    printf("[");
    for (int i = 0; i < count; i++) {
        size_t bound = (size_t)strtoull(bounds[i], NULL, 10);
        printf("%s", i == 0 ? "" : ",");
        growth_up_to(doc, &stream, (bound - before) / BATCH);
        before = bound;
    }
    printf("]\n");
    stream_close(&stream);
    yc_doc_destroy(doc);
}

/* --- attacks --------------------------------------------------------------------------------- */

static enum yc_status awareness(struct yc_slice update)
{
    static struct yc_awareness *known;
    struct yc_buf news = {0};
    if (known == NULL) {
        known = yc_awareness_create(NULL, NULL);
    }
    enum yc_status status = yc_awareness_apply(known, update, 0, &news);
    yc_buf_free(&news);
    return status;
}

static enum yc_status sync_message(struct yc_slice message)
{
    struct yc_sync sync;
    return yc_sync_read(message, &sync);
}

static enum yc_status merge(struct yc_slice argument, struct yc_buf *out)
{
    static struct yc_slice parts[1 << 17];
    struct stream stream = {.bytes = (uint8_t *)(uintptr_t)argument.data, .have = argument.len};
    size_t count = 0;
    while (count < sizeof parts / sizeof parts[0] && stream_next(&stream, &parts[count])) {
        count++;
    }
    return yc_merge_updates(parts, count, out);
}

/* One command: a letter and its argument.
 *   u  apply an update, tell the news       v  state that a state vector lacks
 *   e  state vector of an update            m  merge of updates, each with its length
 *   a  awareness update                     y  sync message
 *   S  apply an update that only sets the scene: it must be accepted, its time does not count */
static enum yc_status attack(struct yc_doc *doc, uint8_t command, struct yc_slice argument,
                             struct yc_buf *out)
{
    struct yc_slice news;
    switch (command) {
    case 'u':
    case 'S':
        return yc_apply(doc, argument, &news);
    case 'v':
        return yc_encode_state(doc, argument, out);
    case 'e':
        return yc_state_vector_of_update(argument, out);
    case 'm':
        return merge(argument, out);
    case 'a':
        return awareness(argument);
    case 'y':
        return sync_message(argument);
    default:
        fail("unknown command");
        return YC_OK;
    }
}

struct attacking {
    uint64_t all; /* time of all commands but those that set the scene */
    uint64_t longest;
    size_t last; /* what the last command returned; from STATUSES - 1 on they are one */
    size_t statuses[STATUSES];
};

static void attack_step(struct attacking *attacking, struct yc_doc *doc, struct yc_slice record,
                        struct yc_buf *out)
{
    struct yc_slice argument = {record.data + 1, record.len - 1};
    uint64_t begin = now();
    enum yc_status status = attack(doc, record.data[0], argument, out);
    uint64_t took = now() - begin;
    if (record.data[0] == 'S') {
        must(status);
        return;
    }
    attacking->all += took;
    attacking->longest = took > attacking->longest ? took : attacking->longest;
    attacking->last = status < STATUSES ? status : STATUSES - 1;
    attacking->statuses[attacking->last]++;
}

/* Runs a file of commands against one document with the usual limits. */
static void attack_run(const char *path)
{
    static const char *const names[STATUSES] = {"ok", "memory", "malformed", "limit", "other"};
    struct yc_slice commands = read_all(path);
    struct stream stream = {.bytes = (uint8_t *)(uintptr_t)commands.data, .have = commands.len};
    struct yc_doc *doc = yc_doc_create(NULL);
    struct yc_buf out = {0};
    struct yc_slice record;
    struct attacking attacking = {0};
    while (doc != NULL && stream_next(&stream, &record)) {
        attack_step(&attacking, doc, record, &out);
    }
    printf("{\"all\":%ju,\"longest\":%ju,\"last\":\"%s\",\"statuses\":{",
           (uintmax_t)attacking.all, (uintmax_t)attacking.longest, names[attacking.last]);
    for (int i = 0; i < STATUSES; i++) {
        printf("%s\"%s\":%zu", i == 0 ? "" : ",", names[i], attacking.statuses[i]);
    }
    printf("},");
    print_stats(doc);
    printf("}\n");
    yc_buf_free(&out);
    yc_doc_destroy(doc);
}

static void end_after(rlim_t seconds)
{
    const struct rlimit limit = {seconds, seconds};
    if (setrlimit(RLIMIT_CPU, &limit) != 0) {
        fail("the processor's time cannot be limited");
    }
}

int main(int argc, char **argv)
{
    const char *task = argc < 2 ? "" : argv[1];
    if (strcmp(task, "feed") == 0 && argc >= 5) {
        feed(argv[2], argv[3], argv[4], argc > 5);
    } else if (strcmp(task, "load") == 0 && argc == 4) {
        load(argv[2], argv[3]);
    } else if (strcmp(task, "growth") == 0 && argc > 3) {
        growth(argv[2], argv + 3, argc - 3);
    } else if (strcmp(task, "attack") == 0 && argc == 4) {
        end_after(strtoull(argv[3], NULL, 10));
        attack_run(argv[2]);
    } else {
        fail("unknown task");
    }
    return 0;
}
