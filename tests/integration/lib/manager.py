# What a test needs of a service manager and node cannot do. Ends, like all that it started, on SIGTERM.
#
#   manager.py listen NAME          prints what is said to the abstract datagram socket @NAME
#   manager.py freeze PID NAME      keeps the thread NAME of process PID from running
#   manager.py inherit COMMAND...   runs COMMAND on a listening socket that outlives it: SIGUSR1 ends
#                                   it, SIGUSR2 starts it again
import ctypes
import os
import signal
import socket
import sys

WISHES = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}


def listen(name):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0" + name)
    print("listening")
    while True:
        print(manager.recv(4096).decode())


def thread_of(pid, name):
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm") as comm:
            if comm.read().strip() == name:
                return int(tid)
    sys.exit(f"process {pid} has no thread {name}")


def freeze(pid, name):
    seize, interrupt, detach, any_thread = 0x4206, 0x4207, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    tid = thread_of(pid, name)

    def ptrace(request):
        if libc.ptrace(request, tid, None, None) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))

    ptrace(seize)
    ptrace(interrupt)
    os.waitpid(tid, any_thread)
    print("frozen")
    signal.sigwait(WISHES)
    ptrace(detach)


def begin(command):
    pid = os.fork()
    if pid != 0:
        return pid
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WISHES)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execvp(command[0], command)


def end(pid):
    os.kill(pid, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print("ended", code)
    return code


def inherit(*command):
    listener = socket.create_server(("127.0.0.1", 0))
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    pid = begin(command)
    while (wish := signal.sigwait(WISHES)) != signal.SIGTERM:
        if wish == signal.SIGUSR1:
            end(pid)
        else:
            pid = begin(command)
    sys.exit(end(pid))


sys.stdout.reconfigure(line_buffering=True)
if sys.argv[1] == "listen":
    listen(sys.argv[2])
signal.pthread_sigmask(signal.SIG_BLOCK, WISHES)
if sys.argv[1] == "freeze":
    freeze(int(sys.argv[2]), sys.argv[3])
else:
    inherit(*sys.argv[2:])
