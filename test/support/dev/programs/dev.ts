/** `dev/main.ts` with programs of the test's own for API, worker and simulator. */
import { join } from 'node:path';
import { readDevConfig } from '../../../../dev/dev-config.ts';
import { runDev } from '../../../../dev/supervisor.ts';

const main = process.env['TEST_MAIN'] ?? join(import.meta.dirname, 'main.ts');
process.exit(
  await runDev(readDevConfig(process.env), {
    product: main,
    simulator: [main, 'simulator'],
    demoCredentials: { email: 'demo@example.com', apiToken: 'x' },
  }),
);
