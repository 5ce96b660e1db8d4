#include "gauge.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* --- processes ------------------------------------------------------------------------------- */

/* The first figure of the thread's schedstat; 0 for a thread that has ended meanwhile. */
static uint64_t thread_cpu_ns(pid_t process, const char *thread)
{
    char path[320];
    char line[128];
    uint64_t ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)process, thread);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL) {
            ns = strtoull(line, NULL, 10);
        }
        fclose(file);
    }
    return ns;
}

uint64_t cpu_ns(pid_t process)
{
    char path[64];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *threads = opendir(path);
    if (threads == NULL) {
        fail("process %d: %s", (int)process, strerror(errno));
    }
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] != '.') {
            sum += thread_cpu_ns(process, entry->d_name);
        }
    }
    closedir(threads);
    return sum;
}

uint64_t memory_bytes(pid_t process)
{
    char path[64];
    char line[256];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtoull(line + 8, NULL, 10);
        }
    }
    if (kib == 0) {
        fail("process %d has no memory", (int)process);
    }
    fclose(status);
    return kib * 1024;
}

/* --- latencies ------------------------------------------------------------------------------- */

/* Below TALLY_STEPS ns a slot is one ns wide; above, each octave has TALLY_STEPS of them. */
static size_t slot(uint64_t ns)
{
    size_t octave = 0;
    while (ns >> octave >= 2 * TALLY_STEPS) {
        octave += 1;
    }
    const size_t index = octave * TALLY_STEPS + (size_t)(ns >> octave);
    const size_t last = TALLY_OCTAVES * TALLY_STEPS - 1;
    return index < last ? index : last;
}

static double slot_ns(size_t index)
{
    if (index < 2 * TALLY_STEPS) {
        return (double)index;
    }
    const size_t octave = index / TALLY_STEPS - 1;
    return ((double)(index - octave * TALLY_STEPS) + 0.5) * (double)(UINT64_C(1) << octave);
}

void tally_add(struct tally *tally, uint64_t ns)
{
    tally->count += 1;
    tally->seen[slot(ns)] += 1;
    if (ns > tally->longest_ns) {
        tally->longest_ns = ns;
    }
}

double tally_us(const struct tally *tally, double part)
{
    const double wanted = part * (double)tally->count;
    uint64_t passed = 0;
    for (size_t i = 0; i < TALLY_OCTAVES * TALLY_STEPS; i++) {
        passed += tally->seen[i];
        if (passed > 0 && (double)passed >= wanted) {
            return slot_ns(i) / 1000;
        }
    }
    return 0;
}
