/* Starts the Python interpreter that waits for a program, and gives it its script. Used inside the
 * supervisor only; no heap. warm.py is the other side. */
#ifndef VVE_RUN_LAUNCH_H
#define VVE_RUN_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How the new process exits when there is no interpreter; it says why on its stderr. */
#define LAUNCH_EXIT_STATUS 3

struct launched {
    pid_t pid; /* leads a session and a group of its own */
    int input; /* our ends of its stdin, stdout and stderr */
    int output;
    int errors;
    int gate; /* socket: it says one byte when it is up, goes on when we shut down our side for
                 * writing, and closes its end then */
};

/* `python_path` is the folder of warm.py, there named sitecustomize.py; the script to come is main.py
 * in `workdir`. False: no pipes or no process (errno). */
bool launch_interpreter(const char *python_path, const char *workdir,
                        struct launched *launched);

/* Writes main.py. False: errno. */
bool launch_write_script(const char *workdir, const uint8_t *bytes, size_t len);

#endif
