// Every way a program can end, each with its exact status and cause, on real containers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as api from './lib/api.js';
import { startDaemon } from './lib/daemon.js';
import { startRedis } from './lib/redis.js';

let redis;
let daemon;
before(async () => {
    redis = await startRedis();
    daemon = await startDaemon(redis);
});
after(async () => {
    assert.equal(await daemon?.stop(), 0, daemon?.log);
    await redis?.stop();
});

// What a program's status object must hold; a function is asked, a pattern matched, the rest equal.
const ENDS = {
    hello: [
        "print('hello')",
        {
            status: 'completed',
            exitCode: 0,
            signal: null,
            stdout: 'hello\n',
            stderr: '',
            error: null,
            truncated: false,
            droppedBytes: 0,
        },
    ],
    'nothing at all': ['', { status: 'completed', output: '' }],
    'exit code 3': [
        'import sys; sys.exit(3)',
        { status: 'failed', exitCode: 3, signal: null, error: null },
    ],
    'exit with a message': [
        "import sys; sys.exit('gone')",
        { status: 'failed', exitCode: 1, stderr: 'gone\n' },
    ],
    'an exception': [
        'def f():\n    return 1/0\nf()',
        {
            status: 'failed',
            exitCode: 1,
            stdout: '',
            stderr: /^Traceback \(most recent call last\):\n {2}File "\/tmp\/main\.py", line 3, in <module>\n {4}f\(\)\n {2}File "\/tmp\/main\.py", line 2, in f\n {4}return 1\/0\n(?: {11}~\^~\n)?ZeroDivisionError: division by zero\n$/,
        },
    ],
    'a syntax error': [
        'print(',
        {
            status: 'failed',
            exitCode: 1,
            stderr: /^ {2}File "\/tmp\/main\.py", line 1\n[\s\S]*SyntaxError/,
        },
    ],
    'a segmentation fault': [
        'import ctypes; ctypes.string_at(0)',
        { status: 'failed', exitCode: null, signal: 'SIGSEGV' },
    ],
    'exit code 137, which is not out of memory': [
        'import sys; sys.exit(137)',
        { status: 'failed', exitCode: 137, signal: null },
    ],
    'killed by itself': [
        'import os; os.kill(os.getpid(), 9)',
        { status: 'failed', exitCode: null, signal: 'SIGKILL' },
    ],
    'an endless loop': [
        "print('on')\nwhile True: pass",
        {
            status: 'timed_out',
            stdout: 'on\n',
            wallMs: (ms) => ms >= 4900 && ms < 6500,
            cpuMs: (ms) => ms > 500,
            memoryBytes: (bytes) => bytes > 1 << 20,
        },
    ],
    '300 MB': ["x = bytearray(300 << 20)\nprint('never')", { status: 'out_of_memory', stdout: '' }],
    '1 MB of output': [
        "import sys\nsys.stdout.write('x' * (1 << 20))",
        {
            status: 'completed',
            exitCode: 0,
            truncated: true,
            droppedBytes: (1 << 20) - 10240,
            stdout: 'x'.repeat(10240),
        },
    ],
    'more than 1 MB dropped': [
        "while True: print('y' * 1000)",
        { status: 'failed', truncated: true, error: (e) => e?.code === 'output_limit' },
    ],
    '11 KB': ["print('z' * 11263)", { status: 'completed', truncated: true, droppedBytes: 1024 }],
    'exactly 10,240 bytes': [
        "import sys; sys.stdout.write('a' * 10240)",
        { status: 'completed', truncated: false, droppedBytes: 0, stdout: 'a'.repeat(10240) },
    ],
    'a character across the cut': [
        "import sys; sys.stdout.write('a' * 10239 + 'é')",
        { status: 'completed', truncated: true, droppedBytes: 2, stdout: 'a'.repeat(10239) },
    ],
    'both streams share the cap': [
        "import sys\nsys.stdout.write('a' * 10000); sys.stdout.flush()\nsys.stderr.write('b' * 500)",
        { truncated: true, droppedBytes: 260, output: (o) => Buffer.byteLength(o) === 10240 },
    ],
    'bytes that are no UTF-8': [
        "import os; os.write(1, b'a\\xff\\xc3b\\x00')",
        { stdout: 'a��b\u0000' },
    ],
    stdin: [
        { code: 'import sys\nprint(input()); print(repr(sys.stdin.read()))', stdin: 'one\ntwo' },
        { stdout: "one\n'two'\n" },
    ],
    'no stdin is the end of file': [
        "try: input()\nexcept EOFError: print('eof')",
        { stdout: 'eof\n' },
    ],
    'as python3 main.py would': [
        "import sys\nprint(__name__, __file__, sys.argv, sys.path[0], 'sitecustomize' in sys.modules)",
        { stdout: "__main__ /tmp/main.py ['/tmp/main.py'] /tmp False\n" },
    ],
    'threads and subprocesses': [
        "import threading, subprocess\nt = threading.Thread(target=lambda: print('t')); t.start(); t.join()\nprint(subprocess.run(['echo', 'sub'], capture_output=True, text=True).stdout, end='')",
        { status: 'completed', stdout: 't\nsub\n' },
    ],
};

for (const [name, [program, expected]] of Object.entries(ENDS)) {
    test(name, async () => {
        const object = await api.run(daemon, program);
        for (const [field, wanted] of Object.entries(expected)) {
            const got = object[field];
            if (wanted instanceof RegExp) assert.match(got, wanted);
            else if (typeof wanted === 'function')
                assert.ok(wanted(got), `${field} is ${JSON.stringify(got)}`);
            else assert.deepEqual(got, wanted, `${field}: ${JSON.stringify(object).slice(0, 600)}`);
        }
        assert.ok(object.finishedAt >= object.startedAt && object.startedAt >= object.submittedAt);
    });
}

test('a cancelled program sees KeyboardInterrupt', async () => {
    const jobId = await api.submit(daemon, "print('up')\nwhile True: pass");
    for await (const event of api.events(daemon, jobId)) {
        if (event.event === 'output' && event.data.text.startsWith('up')) {
            assert.equal(
                (await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`)).status,
                202,
            );
        }
    }
    const object = await api.status(daemon, jobId);
    assert.equal(object.status, 'cancelled');
    assert.match(object.stderr, /KeyboardInterrupt\n$/);
});

test('one that ignores it is killed', async () => {
    const jobId = await api.submit(
        daemon,
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('up')\nwhile True: pass",
    );
    let asked = 0;
    for await (const event of api.events(daemon, jobId)) {
        if (event.event === 'output' && asked === 0) {
            asked = Date.now();
            await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`);
        }
    }
    assert.ok(asked > 0);
    const object = await api.status(daemon, jobId);
    assert.equal(object.status, 'cancelled');
    const took = object.finishedAt - asked;
    assert.ok(took < 2000, `it ended ${took} ms after the cancel`);
});

test('what one program leaves behind, the next does not see', async () => {
    await api.run(
        daemon,
        "open('/tmp/left', 'w').write('x')\nimport subprocess; subprocess.Popen(['sleep', '100'])",
    );
    const object = await api.run(
        daemon,
        "import os\nprint(sorted(os.listdir('/tmp')), [p for p in os.listdir('/proc') if p.isdigit() and p not in ('1', str(os.getpid()))])",
    );
    assert.equal(object.stdout, "['main.py'] []\n");
});
