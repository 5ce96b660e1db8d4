/* See probe.h. A thread's /proc/PID/task/TID/syscall says "running", or "NUMBER ARGUMENT... SP PC"
 * of the system call that it sleeps in. */
#include "run/probe.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t probe_clock_us(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t probe_cpu_us(pid_t pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) == 0 ? probe_clock_us(clock) : 0;
}

int probe_open_oom_counter(void)
{
    int counter = open("/sys/fs/cgroup/memory.events", O_RDONLY | O_CLOEXEC);
    if (counter < 0) { /* cgroup v1 */
        counter = open("/sys/fs/cgroup/memory/memory.oom_control", O_RDONLY | O_CLOEXEC);
    }
    return counter;
}

uint32_t probe_oom_kills(int counter)
{
    char text[512];
    ssize_t len = pread(counter, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    const char *found = strstr(text, "\noom_kill "); /* never the first line */
    return found == NULL ? 0 : (uint32_t)strtoul(found + strlen("\noom_kill "), NULL, 10);
}

int probe_unread_bytes(int pipe)
{
    int bytes = 0;
    return pipe >= 0 && ioctl(pipe, FIONREAD, &bytes) == 0 ? bytes : 0;
}

/* --- who waits, and in what --------------------------------------------------------------- */

enum activity { GONE, BUSY, READS_INPUT, SLEEPS };

/* 0: no number. */
static pid_t number_of(const char *name)
{
    return isdigit((unsigned char)name[0]) ? (pid_t)strtol(name, NULL, 10) : 0;
}

static enum activity activity_of(const char *path)
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (len <= 0) {
        return GONE;
    }
    text[len] = '\0';
    if (!isdigit((unsigned char)text[0])) {
        return text[0] == 'r' ? BUSY : SLEEPS; /* -1: in no system call, such as a page fault */
    }
    char *rest;
    long call = strtol(text, &rest, 10);
    unsigned long long descriptor = strtoull(rest, NULL, 16);
    return call == SYS_read && descriptor == STDIN_FILENO ? READS_INPUT : SLEEPS;
}

/* BUSY if any thread of the process is, else READS_INPUT if any does. */
static enum activity activity_of_process(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    if (threads == NULL) {
        return GONE;
    }
    enum activity all = SLEEPS;
    const struct dirent *entry;
    while (all != BUSY && (entry = readdir(threads)) != NULL) {
        pid_t thread = number_of(entry->d_name);
        if (thread != 0) {
            snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", pid, thread);
            enum activity one = activity_of(path);
            all = one == BUSY || one == READS_INPUT ? one : all;
        }
    }
    closedir(threads);
    return all;
}

bool probe_waits_for_input(pid_t program)
{
    if (activity_of_process(program) != READS_INPUT) {
        return false; /* the usual case, without a look at the others */
    }
    DIR *processes = opendir("/proc");
    if (processes == NULL) {
        return false;
    }
    bool is_quiet = true;
    const struct dirent *entry;
    while (is_quiet && (entry = readdir(processes)) != NULL) {
        pid_t pid = number_of(entry->d_name);
        if (pid != 0 && pid != program && pid != getpid()) {
            is_quiet = activity_of_process(pid) != BUSY;
        }
    }
    closedir(processes);
    return is_quiet;
}
