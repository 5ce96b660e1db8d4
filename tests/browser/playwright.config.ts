// Drives the page of a running daemon in Chromium. VVE_URL says where the daemon is; it should be
// started with a high --rate-limit, because these tests run more than ten programs a minute.
import { defineConfig } from '@playwright/test';

const baseURL = process.env.VVE_URL;
if (!baseURL) {
    throw new Error('VVE_URL is not set: it names the daemon to test, http://localhost:8080');
}

export default defineConfig({
    testDir: '.',
    outputDir: 'node_modules/.cache/results',
    workers: 1,
    retries: 0,
    forbidOnly: true,
    timeout: 45_000,
    expect: { timeout: 20_000 },
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
