/** Stands where src/main.ts stands: an API, a worker and a simulator that do nothing but be there, and be found. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { exitUnhealable, exitWithParent, tellParentReady } from '../../../../src/roles/parent.ts';

const [role] = process.argv.slice(2);
exitWithParent();
process.on('SIGTERM', () => {
  if (role !== 'worker' || process.env['TEST_WORKER'] !== 'deaf') process.exit(0);
});

if (role === 'worker') {
  if (process.env['TEST_WORKER'] === 'unhealable') await exitUnhealable('worker: SECRET_KEYS is no good');
  if (process.env['TEST_WORKER'] === 'crash') throw new Error('the worker is broken');
  setInterval(() => undefined, 1_000);
  if (process.env['TEST_WORKER'] === 'deaf') writeFileSync(join(process.env['DATA_DIR'] ?? '', 'deaf'), '');
  tellParentReady();
} else {
  let tenant: 'none' | 'made' | 'connected' = 'none';
  const routes: Readonly<Record<string, () => readonly [status: number, body?: unknown]>> = {
    'GET /health/ready': () => [200],
    'GET /environment': () => [200, process.env],
    'POST /v1/tenants': () => {
      if (tenant !== 'none') return [409];
      tenant = 'made';
      return [201];
    },
    'PUT /v1/tenants/demo/credentials': () => {
      tenant = 'connected';
      return [202];
    },
    'GET /v1/tenants/demo/conversations?limit=1': () => [200, tenant === 'connected' ? { id: 'c1' } : undefined],
  };
  const server = createServer((request, response) => {
    const allowed =
      !request.url?.startsWith('/v1/') || request.headers.authorization === `Bearer ${process.env['OPERATOR_KEYS']}`;
    const [status, body] = allowed ? (routes[`${request.method} ${request.url}`]?.() ?? [404]) : [401];
    response.writeHead(status).end(JSON.stringify(body));
  });
  const port = Number(process.env[role === 'api' ? 'API_PORT' : 'SIMULATOR_PORT']);
  server.listen(port, '127.0.0.1', () => tellParentReady({ port }));
}
