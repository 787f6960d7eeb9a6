import { defineConfig } from 'vitest/config';

/**
 * Three lanes. `unit` needs no server and no network, and takes seconds. `integration` runs against real parts on this machine: Temporal,
 * SQS (fauxqs), Postgres (PGlite), the simulated Gladly. `e2e` has what takes minutes or needs more installed: `npm start` killed again and
 * again, chaos, outages, browsers, ElasticMQ. `npm test` runs the first two, `npm run test:e2e` the third.
 */
export default defineConfig({
  test: {
    // Temporal's native core does not run in worker threads.
    pool: 'forks',
    // The machines that this runs on have two cores, and most tests start processes of their own.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest's own second is over before a busy machine has turned round.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          env: { SQS_EMULATORS: 'fauxqs' },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/integration/queue/{conformance,provision,receiving}.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          env: { SQS_EMULATORS: 'elasticmq' },
        },
      },
    ],
  },
});
