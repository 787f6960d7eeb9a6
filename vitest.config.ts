import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Temporal's native core does not run in worker threads.
    pool: 'forks',
    // The machines that this runs on have two cores, and most tests start processes of their own.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Many tests watch processes by the clock, and two shared cores may stop for seconds. Again, then, where nobody watches; Vitest says so.
    retry: process.env['CI'] === undefined ? 0 : 2,
  },
});
