/* What the kernel tells the supervisor about what runs in its container: clocks, kills for want of
 * memory, and whether the program waits for input. Linux; /proc must be that of the container's own
 * PID namespace. Used inside the supervisor only. */
#ifndef VVE_RUN_PROBE_H
#define VVE_RUN_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

uint64_t probe_clock_us(clockid_t clock);
uint64_t probe_cpu_us(pid_t pid); /* 0: there is no such process */

/* A descriptor for probe_oom_kills; -1: this machine does not tell. */
int probe_open_oom_counter(void);
uint32_t probe_oom_kills(int counter); /* how often the kernel killed in here; -1 gives 0 */

/* Whether a thread of `program` waits in read() of its standard input while nobody in the
 * container, us excepted, is on a processor or wants one. A glance: the next moment may be
 * another. */
bool probe_waits_for_input(pid_t program);

/* How many bytes lie unread in a pipe, whichever its end; 0 for -1. */
int probe_unread_bytes(int pipe);

#endif
