// Drives the page of a running daemon in Chromium. VVE_URL says where the daemon is; it should be
// started with a high --rate-limit, because these tests run more than ten programs a minute. VVE_REDIS
// names its Redis.
import { defineConfig } from '@playwright/test';

const baseURL = process.env.VVE_URL;
if (!baseURL) {
    throw new Error('VVE_URL is not set: it names the daemon to test, http://localhost:8080');
}

export default defineConfig({
    testDir: '.',
    outputDir: 'node_modules/.cache/results',
    // Each worker has a browser of its own, and no test counts on being alone with the daemon.
    workers: 3,
    fullyParallel: true,
    retries: 0,
    forbidOnly: true,
    // Deadlines, for machines that have other things to do; a test that passes waits for none.
    timeout: 120_000,
    expect: { timeout: 30_000 },
    reporter: [['list']],
    use: {
        baseURL,
        launchOptions: {
            executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
            args: [
                '--no-sandbox',
                '--disable-gpu',
                '--disable-quic',
                '--no-first-run',
                '--disable-background-networking',
                '--disable-component-update',
                '--disable-sync',
            ],
        },
    },
    projects: [
        { name: 'spec', testMatch: '*.spec.ts' },
        { name: 'shots', testMatch: 'shots.ts' },
    ],
});
