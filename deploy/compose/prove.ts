/**
 * Runs temporal-compose.yml without Docker: each service's own program, with the variables, commands, mounted files, health checks and
 * order that are written there, in a network of its own in which every service's name is 127.0.0.1. Then a tenant is connected to the Gladly
 * simulator, and everything is stopped and started once more on the same data. Linux and root; which programs: docs/deploy.md.
 *
 *   unshare --net --mount node deploy/compose/prove.ts PROGRAMS APP
 *
 * PROGRAMS: folder with temporal-server, temporal-sql-tool, temporal, elasticmq/*.jar and postgres/bin.
 * APP: the project as the Dockerfile lays it out.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inOrder, readComposeFile } from './compose-file.ts';
import { proveTenant } from './proof/tenant.ts';
import { startWorld } from './proof/world.ts';

const [programs, app] = process.argv.slice(2).map((path) => resolve(path));
if (programs === undefined || app === undefined)
  throw new Error('usage: unshare --net --mount node deploy/compose/prove.ts PROGRAMS APP');
if (Object.keys(networkInterfaces()).some((name) => name !== 'lo'))
  throw new Error('this network is not one of its own: start it with unshare --net --mount');

const scratch = mkdtempSync(join(tmpdir(), 'compose-proof-'));
// Each service runs as a user of its own, and has a folder in here.
chmodSync(scratch, 0o755);
const env = {
  POSTGRES_PASSWORD: randomBytes(24).toString('hex'),
  OPERATOR_KEYS: `prover:${randomBytes(24).toString('hex')}`,
  SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  GLADLY_EXTRA_HOSTS: '127.0.0.1:3900',
};
const { services } = readComposeFile(
  readFileSync(join(import.meta.dirname, '../..', 'temporal-compose.yml'), 'utf8'),
  env,
);

const hosts = join(scratch, 'hosts');
writeFileSync(
  hosts,
  `127.0.0.1 localhost ${inOrder(services).join(' ')} ${execFileSync('hostname', { encoding: 'utf8' })}`,
);
execFileSync('mount', ['--bind', hosts, '/etc/hosts']);
execFileSync('ip', ['link', 'set', 'lo', 'up']);

let failed = false;
try {
  for (const round of ['first start', 'second start, same data']) {
    process.stdout.write(`— ${round}\n`);
    const world = await startWorld({ services, programs, app, scratch });
    try {
      await proveTenant({ operatorKey: env.OPERATOR_KEYS.slice('prover:'.length), programs, app, scratch });
    } catch (error) {
      process.stderr.write(world.lastWords());
      throw error;
    } finally {
      await world.stop();
    }
  }
} catch (error) {
  failed = true;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
} finally {
  execFileSync('umount', ['/etc/hosts']);
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(failed ? 'not proven\n' : 'proven\n');
process.exit(failed ? 1 : 0);
