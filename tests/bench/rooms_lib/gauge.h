/* What is measured: time, latencies, and what a process has used of the machine. Each function ends
 * the program when the kernel does not answer. */
#ifndef BENCH_GAUGE_H
#define BENCH_GAUGE_H

#include <stdint.h>
#include <sys/types.h>

#define SECOND UINT64_C(1000000000)

/* Says why on standard error, and ends the program with 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t now_ns(void);

/* Time on a processor of all threads that the process has. */
uint64_t cpu_ns(pid_t process);

/* Memory that is the process's own (RssAnon). */
uint64_t memory_bytes(pid_t process);

/* How often each latency was seen, to 1 part in 64. Zeroed, it is empty. */
#define TALLY_STEPS 64
#define TALLY_OCTAVES 34
struct tally {
    uint64_t count;
    uint64_t longest_ns;
    uint64_t seen[TALLY_OCTAVES * TALLY_STEPS];
};

void tally_add(struct tally *tally, uint64_t ns);

/* The latency that the given part of all did not exceed; 0 of an empty tally. */
double tally_us(const struct tally *tally, double part);

#endif
