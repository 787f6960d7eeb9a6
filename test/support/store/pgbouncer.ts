import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { until } from '../ingest/until.ts';

/** True where Debian's `pgbouncer` is installed, as .ci/run does. */
export const hasPgbouncer = ((): boolean => {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** PgBouncer in transaction mode, as it is when nobody has thought of us, in front of the Postgres of this address. */
export async function startPgbouncer(postgresUrl: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const postgres = new URL(postgresUrl);
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const settings = `[databases]
* = host=${postgres.hostname} port=${postgres.port} user=${postgres.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`;
  writeFileSync(file, settings);
  // It refuses to run as root.
  const asNobody = process.getuid?.() === 0 ? ['--reuid=65534', '--clear-groups'] : [];
  if (asNobody.length > 0) execFileSync('chmod', ['-R', 'a+rX', folder]);
  const [program, ...args] = [...(asNobody.length > 0 ? ['setpriv', ...asNobody] : []), 'pgbouncer', '-q', file];
  const child: ChildProcess = spawn(program ?? '', args, { stdio: 'ignore' });
  await until(() => listens(port));
  const url = new URL(postgresUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    async close() {
      if (child.exitCode !== null) throw new Error(`PgBouncer has ended by itself, with ${child.exitCode}`);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ port, host: '127.0.0.1' });
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}
