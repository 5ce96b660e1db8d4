// Hostile programs, each with the exact end it must come to. `expect` holds fields of the status
// object; a pattern is matched, everything else is equal.

// Python text that calls system calls by number and prints the name of each error, "ok" if none.
const syscalls = (...calls) => `import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    print(name, 'ok' if result >= 0 else errno.errorcode[ctypes.get_errno()])
buffer = ctypes.create_string_buffer(256)
${calls.map((c) => `call(${c})`).join('\n')}
`;
const refused = (...names) => ({
    status: 'completed',
    stdout: names.map((n) => `${n} EPERM\n`).join(''),
});
const tries = (lines) => `def attempt(name, action):
    try:
        action()
        print(name, 'ok')
    except OSError as error:
        import errno
        print(name, errno.errorcode[error.errno])
${lines}
`;

const COMPLETED = { status: 'completed', exitCode: 0, error: null };
const TIMED_OUT = { status: 'timed_out', exitCode: null, error: null };

export const ATTACKS = [
    [
        'fork bomb',
        'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass',
        TIMED_OUT,
    ],
    [
        'threads without end',
        'import threading, time\nn = 0\ntry:\n    while True:\n        threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); n += 1\nexcept RuntimeError:\n    print(n < 64)\n    import os; os._exit(0)',
        { ...COMPLETED, stdout: /^True\n/ },
    ],
    [
        'memory bomb',
        'x = []\nwhile True: x.append(bytearray(1 << 20))',
        { status: 'out_of_memory', exitCode: null, error: null },
    ],
    [
        'memory bomb in a child',
        "import subprocess, sys\nr = subprocess.run([sys.executable, '-c', 'x = bytearray(300 << 20)'])\nprint(r.returncode)",
        { ...COMPLETED, stdout: '-9\n' },
    ],
    [
        'fill /tmp',
        tries(
            "def fill():\n    for i in range(99):\n        open(f'/tmp/{i}', 'wb').write(bytes(9 << 20))\nattempt('fill', fill)",
        ),
        { ...COMPLETED, stdout: 'fill ENOSPC\n' },
    ],
    [
        'fill the inodes of /tmp',
        "n = 0\ntry:\n    while True: open(f'/tmp/{n}', 'w').close(); n += 1\nexcept OSError as e: print(e.errno, n < 1024)",
        { ...COMPLETED, stdout: '28 True\n' },
    ],
    [
        'a sparse file of 1 TB',
        tries("attempt('truncate', lambda: open('/tmp/x', 'wb').truncate(1 << 40))"),
        { ...COMPLETED, stdout: 'truncate EFBIG\n' },
    ],
    [
        'write outside /tmp',
        tries(
            "for path in ('/etc/x', '/usr/x', '/x', '/var/tmp/x', '/root/x'):\n    attempt(path, lambda: open(path, 'w'))",
        ),
        { ...COMPLETED, stdout: /^(\/\S+ (EROFS|EACCES)\n){5}$/ },
    ],
    [
        'shared memory',
        tries("import os\nattempt('list', lambda: os.listdir('/dev/shm'))"),
        { ...COMPLETED, stdout: /^list (ENOENT|EACCES)\n$/ },
    ],
    [
        'flood stdout',
        "while True: print('x' * 1000)",
        { status: 'failed', truncated: true, error: { code: 'output_limit' } },
    ],
    [
        'flood stderr',
        "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
        { status: 'failed', truncated: true, error: { code: 'output_limit' } },
    ],
    [
        'exhaust descriptors',
        "n = 0\ntry:\n    while True: globals()[f'f{n}'] = open('/dev/null'); n += 1\nexcept OSError as e: print(e.errno, n < 256)",
        { ...COMPLETED, stdout: '24 True\n' },
    ],
    [
        'fill pipes',
        'import os\nn = 0\ntry:\n    while True:\n        r, w = os.pipe(); os.set_blocking(w, False)\n        try:\n            while True: n += os.write(w, bytes(65536))\n        except BlockingIOError: pass\nexcept OSError as e: print(e.errno, n < 32 << 20)',
        { ...COMPLETED, stdout: '24 True\n' },
    ],
    [
        'network: metadata, host, gateway, DNS',
        "import socket, errno\nfor host, port in (('169.254.169.254', 80), ('127.0.0.1', 8080), ('172.17.0.1', 80), ('8.8.8.8', 53)):\n    try: socket.create_connection((host, port), 1); print('ok')\n    except OSError as e: print(errno.errorcode[e.errno])",
        { ...COMPLETED, stdout: 'EACCES\n'.repeat(4) },
    ],
    [
        'sockets of every family',
        "import socket, errno\nfor family, kind in ((1, 1), (2, 2), (2, 3), (10, 1), (16, 3), (17, 3), (38, 5), (40, 1)):\n    try: socket.socket(family, kind); print('ok')\n    except OSError as e: print(errno.errorcode[e.errno])",
        { ...COMPLETED, stdout: 'EACCES\n'.repeat(8) },
    ],
    [
        'pairs of sockets of every family',
        tries(
            'import socket\nfor family, kind in ((1, 1), (1, 2), (1, 5), (2, 1), (2, 2), (10, 1), (16, 3), (17, 3), (38, 5), (40, 1)):\n    attempt(family, lambda: socket.socketpair(family, kind))',
        ),
        {
            ...COMPLETED,
            stdout: '1 ok\n1 ok\n1 ok\n2 EPERM\n2 EPERM\n10 EPERM\n16 EPERM\n17 EPERM\n38 EPERM\n40 EPERM\n',
        },
    ],
    [
        'interfaces',
        "print(open('/proc/net/dev').read().count(':'), 'lo:' in open('/proc/net/dev').read())",
        { ...COMPLETED, stdout: '1 True\n' },
    ],
    [
        'the Docker socket',
        "import os\nprint([p for p in ('/var/run/docker.sock', '/run/docker.sock') if os.path.exists(p)])",
        { ...COMPLETED, stdout: '[]\n' },
    ],
    [
        'kernel settings',
        tries(
            "for path in ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/overcommit_memory', '/sys/fs/cgroup/release_agent'):\n    attempt(path, lambda: open(path, 'w').write('1'))\nattempt('/proc/kcore', lambda: open('/proc/kcore', 'rb').read(1))",
        ),
        { ...COMPLETED, stdout: /^(\S+ (EACCES|EROFS|EPERM|ENOENT|EIO)\n|\/proc\/kcore ok\n){5}$/ },
    ],
    [
        'protect itself from the memory killer',
        tries(
            "import os\nattempt('oom', lambda: os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000'))",
        ),
        { ...COMPLETED, stdout: 'oom EACCES\n' },
    ],
    [
        'change its own cgroup',
        tries(
            "import glob\npaths = glob.glob('/sys/fs/cgroup/**/memory.limit_in_bytes', recursive=True) + glob.glob('/sys/fs/cgroup/**/memory.max', recursive=True)\nfor path in paths[:1]:\n    attempt('limit', lambda: open(path, 'w').write('999999999'))",
        ),
        { ...COMPLETED, stdout: /^limit (EROFS|EACCES)\n$/ },
    ],
    [
        'daemonise, holding stdout',
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(60)\n    os._exit(0)\nprint('parent ends')",
        { ...COMPLETED, stdout: 'parent ends\n' },
    ],
    [
        'leave stdout in a socket in itself',
        "import os, socket\na, b = socket.socketpair()\nprint('x' * 9999)\nsocket.send_fds(a, [b'x'], [1, 2, a.fileno(), b.fileno()])\nos._exit(0)",
        { ...COMPLETED, stdout: `${'x'.repeat(9999)}\n`, truncated: false },
    ],
    [
        'stop its own group',
        'import os, signal\nos.killpg(0, signal.SIGSTOP)\nwhile True: pass',
        TIMED_OUT,
    ],
    [
        'kill everybody',
        "import os, subprocess\nsubprocess.Popen(['sleep', '9'])\nos.kill(-1, 9)\nprint('alone')",
        { ...COMPLETED, stdout: 'alone\n' },
    ],
    [
        'kill the supervisor',
        "import os\nfor s in (9, 15, 2, 19, 17): os.kill(1, s)\nprint('still here')",
        { ...COMPLETED, stdout: 'still here\n' },
    ],
    [
        'ignore every signal',
        'import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass',
        TIMED_OUT,
    ],
    [
        'close stdout and stay',
        'import os, time\nos.close(1); os.close(2)\ntime.sleep(60)',
        TIMED_OUT,
    ],
    [
        'trace the supervisor',
        syscalls(
            "'attach', 101, 16, 1, 0, 0",
            "'seize', 101, 0x4206, 1, 0, 0",
            "'read', 310, 1, 0, 0, 0, 0, 0",
        ),
        refused('attach', 'seize', 'read'),
    ],
    [
        "the supervisor's limits",
        tries(
            "import resource\nattempt('supervisor', lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)))\nattempt('own', lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, (32, 32)))\nprint(resource.getrlimit(resource.RLIMIT_NOFILE))",
        ),
        { ...COMPLETED, stdout: 'supervisor EPERM\nown ok\n(32, 32)\n' },
    ],
    [
        "the supervisor's priority",
        tries(
            "import os\nfor which, who in ((os.PRIO_PROCESS, 1), (os.PRIO_PGRP, 0), (os.PRIO_PGRP, 1), (os.PRIO_USER, 0), (os.PRIO_USER, 65534)):\n    attempt(f'{which} {who}', lambda: os.setpriority(which, who, 19))\nattempt('own', lambda: os.nice(3))\nprint(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, 1))",
        ),
        {
            ...COMPLETED,
            stdout: '0 1 EPERM\n1 0 EPERM\n1 1 EPERM\n2 0 EPERM\n2 65534 EPERM\nown ok\n3 0\n',
        },
    ],
    [
        "the supervisor's scheduling and memory",
        syscalls(
            "'sched_setparam', 142, 1, buffer",
            "'sched_setscheduler', 144, 1, 5, buffer",
            "'sched_setaffinity', 203, 1, 8, buffer",
            "'sched_setattr', 314, 1, buffer, 0",
            "'ioprio_set', 251, 1, 1, 0x6000",
            "'rt_sigqueueinfo', 129, 1, 34, buffer",
            "'pidfd_open', 434, 1, 0",
            "'process_madvise', 440, 0, buffer, 1, 4, 0",
            "'migrate_pages', 256, 1, 64, buffer, buffer",
            "'move_pages', 279, 1, 0, 0, 0, 0, 0",
        ),
        refused(
            'sched_setparam',
            'sched_setscheduler',
            'sched_setaffinity',
            'sched_setattr',
            'ioprio_set',
            'rt_sigqueueinfo',
            'pidfd_open',
            'process_madvise',
            'migrate_pages',
            'move_pages',
        ),
    ],
    [
        "the supervisor's descriptors",
        tries(
            "import os\nattempt('fd', lambda: os.listdir('/proc/1/fd'))\nattempt('mem', lambda: open('/proc/1/mem', 'rb'))\nattempt('environ', lambda: open('/proc/1/environ', 'rb').read())",
        ),
        { ...COMPLETED, stdout: 'fd EACCES\nmem EACCES\nenviron EACCES\n' },
    ],
    [
        "forge the supervisor's frames",
        "import os\nos.write(1, b'x\\0\\0\\0\\x30' + bytes(48))\nprint(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:3])",
        { ...COMPLETED, stdout: /^x[\s\S]*\[0, 1, 2\]\n$/ },
    ],
    [
        'kernel key rings',
        syscalls("'add_key', 248, b'user', b'k', b'v', 1, -1", "'keyctl', 250, 0, -3, 0"),
        refused('add_key', 'keyctl'),
    ],
    [
        'rare system calls',
        syscalls(
            "'bpf', 321, 0, buffer, 64",
            "'perf_event_open', 298, buffer, 0, -1, -1, 0",
            "'userfaultfd', 323, 0",
            "'kexec_load', 246, 0, 0, 0, 0",
            "'init_module', 175, buffer, 1, b''",
            "'open_by_handle_at', 304, -1, buffer, 0",
            "'personality', 135, 8",
            "'modify_ldt', 154, 0, buffer, 16",
        ),
        refused(
            'bpf',
            'perf_event_open',
            'userfaultfd',
            'kexec_load',
            'init_module',
            'open_by_handle_at',
            'personality',
            'modify_ldt',
        ),
    ],
    [
        'io_uring',
        syscalls("'io_uring_setup', 425, 8, buffer", "'io_uring_enter', 426, 0, 0, 0, 0, 0"),
        refused('io_uring_setup', 'io_uring_enter'),
    ],
    [
        'system administration',
        syscalls(
            "'mount', 165, b'none', b'/tmp', b'tmpfs', 0, 0",
            "'unshare', 272, 0x10000000",
            "'pivot_root', 155, b'/', b'/'",
            "'chroot', 161, b'/tmp'",
            "'setns', 308, 0, 0",
            "'reboot', 169, 0xfee1dead, 672274793, 0, 0",
            "'sethostname', 170, b'x', 1",
            "'clock_settime', 227, 0, buffer",
            "'swapon', 167, b'/tmp/x', 0",
            "'setuid', 105, 0",
            "'setgid', 106, 0",
            "'mknod', 133, b'/tmp/n', 0o20666, 259",
        ),
        refused(
            'mount',
            'unshare',
            'pivot_root',
            'chroot',
            'setns',
            'reboot',
            'sethostname',
            'clock_settime',
            'swapon',
            'setuid',
            'setgid',
            'mknod',
        ),
    ],
    [
        'new namespaces by clone',
        syscalls("'clone', 56, 0x10000000 | 17, 0, 0, 0, 0"),
        refused('clone'),
    ],
    [
        'System V memory and message queues',
        syscalls(
            "'shmget', 29, 0, 4096, 0o1666",
            "'semget', 64, 0, 1, 0o1666",
            "'msgget', 68, 0, 0o1666",
            "'mq_open', 240, b'q', 0o102, 0o600, 0",
        ),
        refused('shmget', 'semget', 'msgget', 'mq_open'),
    ],
    [
        'zombies',
        'import os\nn = 0\ntry:\n    while True:\n        if os.fork() == 0: os._exit(0)\n        n += 1\nexcept OSError as e: print(e.errno, n < 64)',
        { ...COMPLETED, stdout: '11 True\n' },
    ],
    [
        'privileges',
        "s = dict(l.split(':\\t') for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)\nprint(s['CapEff'], s['CapBnd'], s['NoNewPrivs'], s['Seccomp'], s['Uid'].split()[0])",
        { ...COMPLETED, stdout: '0000000000000000 0000000000000000 1 2 65534\n' },
    ],
    [
        'the environment',
        'import os\nprint(sorted(os.environ))',
        {
            ...COMPLETED,
            stdout: /^\[('(HOME|HOSTNAME|LANG|LC_CTYPE|PATH|PYTHONDONTWRITEBYTECODE|PYTHONUNBUFFERED)'(, )?)+\]\n$/,
        },
    ],
    [
        'segmentation fault',
        'import ctypes; ctypes.string_at(0)',
        { status: 'failed', exitCode: null, signal: 'SIGSEGV' },
    ],
    [
        'recursion without end',
        'def f(): f()\nf()',
        { status: 'failed', exitCode: 1, stderr: /RecursionError/ },
    ],
    [
        'exit 137, as if out of memory',
        'import sys; sys.exit(137)',
        { status: 'failed', exitCode: 137, signal: null },
    ],
    [
        'NUL, escapes and broken UTF-8',
        "import os; os.write(1, b'\\x00\\x1b[2J\\xff\\xed\\xa0\\x80\\n')",
        { ...COMPLETED, stdout: '\u0000\u001b[2J\ufffd\ufffd\ufffd\ufffd\n' },
    ],
    [
        'a traceback without end',
        "raise Exception('x' * 100000)",
        { status: 'failed', exitCode: 1, truncated: true },
    ],
    [
        'eight busy threads',
        'import threading\ndef f():\n    while True: pass\n[threading.Thread(target=f).start() for _ in range(8)]',
        TIMED_OUT,
    ],
];
