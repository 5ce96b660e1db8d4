/* See launch.h. */
#include "run/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GATE_FD 3 /* in the program; see warm.py */
#define FD_COUNT (GATE_FD + 1)

_Noreturn static void become_interpreter(const char *python_path, const char *workdir,
                                         const int fds[FD_COUNT])
{
    static char python_path_entry[PATH_MAX + sizeof "PYTHONPATH="];
    static char script[PATH_MAX];
    static char *environment[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "HOME=/tmp",
        "LANG=C.UTF-8",
        "PYTHONUNBUFFERED=1",
        "PYTHONDONTWRITEBYTECODE=1",
        python_path_entry,
        NULL,
    };
    snprintf(python_path_entry, sizeof python_path_entry, "PYTHONPATH=%s", python_path);
    snprintf(script, sizeof script, "%s/main.py", workdir);
    environ = environment;

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid(); /* an interrupt goes to this group, as from a terminal */
    for (int fd = 0; fd < FD_COUNT; fd++) {
        if (dup2(fds[fd], fd) < 0) {
            _exit(LAUNCH_EXIT_STATUS);
        }
    }
    close_range(FD_COUNT, UINT_MAX, 0); /* container runtimes have left some open before */
    if (chdir(workdir) == 0) {
        execvp("python3", (char *[]){"python3", script, NULL});
    }
    dprintf(STDERR_FILENO, "python3: %s\n", strerror(errno));
    _exit(LAUNCH_EXIT_STATUS);
}

bool launch_interpreter(const char *python_path, const char *workdir, struct launched *launched)
{
    int in[2], out[2], err[2], gate[2];
    /* The gate comes last: its other end is then not GATE_FD yet, and dup2 opens it to exec. */
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) != 0) {
        return false;
    }
    const int theirs[FD_COUNT] = {in[0], out[1], err[1], gate[1]};
    pid_t pid = fork();
    if (pid < 0) {
        return false;
    }
    if (pid == 0) {
        become_interpreter(python_path, workdir, theirs);
    }
    for (int i = 0; i < FD_COUNT; i++) {
        close(theirs[i]);
    }
    *launched = (struct launched){pid, in[1], out[0], err[0], gate[0]};
    return true;
}

bool launch_write_script(const char *workdir, const uint8_t *bytes, size_t len)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/main.py", workdir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written <= 0) {
            close(fd);
            return false;
        }
        bytes += written;
        len -= (size_t)written;
    }
    return close(fd) == 0;
}
