import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { killPart } from '../happenings.ts';
import type { Kind } from './kinds.ts';
import { eventually, HAPPENS_MS } from './patience.ts';
import type { Scene } from './scene.ts';
import type { Trouble } from './schedule.ts';

const PRODUCT = join(import.meta.dirname, '../../src/main.ts');
/** How long a worker may take to come up, its bundle of workflows included. */
const UP_MS = 60_000;
const STOP_MS = 5_000;
/** A worker is up some three seconds after it was started: its bundle of workflows takes as long. */
const KILL_AGAIN_MS = 1_500;
/** For ten seconds Temporal keeps a workflow's tasks for the worker that had it last; only then others get them. */
const STICKY_MS = 12_000;

type DoesToAll = (trouble: Trouble) => Promise<boolean>;

/** What becomes of the parts that all tenants share. */
export function houseTrouble(scene: Scene, signalSweep: (die: number) => Promise<boolean>) {
  const { world, sqs, postgres } = scene;
  const kill =
    (part: 'worker' | 'api' | 'temporal'): DoesToAll =>
    async () => {
      await killPart(world, part);
      return true;
    };
  return {
    'kill worker': kill('worker'),
    'kill api': kill('api'),
    'kill temporal': kill('temporal'),
    'kill sqs': async () => {
      await sqs.kill();
      return true;
    },
    'kill postgres': async () => {
      await (postgres ? postgres.kill() : killPart(world, 'postgres'));
      return true;
    },
    'SQS refuses all': async ({ forMs }) => {
      const before = sqs.refused;
      const open = sqs.refuse({ what: 'all', queue: null, status: 403, code: 'AccessDeniedException' });
      try {
        await sleep(forMs);
        return await eventually(async () => sqs.refused > before, HAPPENS_MS);
      } finally {
        open();
      }
    },
    'worker without a key': ({ forMs }) => workerWithoutKey(scene, forMs),
    'undecodable signal to sweep': ({ dice: [one] }) => signalSweep(one),
    'read-only Postgres': async ({ forMs }) => {
      if (postgres === null) return false;
      await setReadOnly(postgres.url, true);
      await sleep(forMs);
      await setReadOnly(postgres.url, false);
      return true;
    },
  } as const satisfies Partial<Record<Kind, DoesToAll>>;
}

/** A worker that has another key takes part, and for some seconds it is the only one that is up; then one with the right key does. */
async function workerWithoutKey(scene: Scene, forMs: number): Promise<boolean> {
  const { world, workerEnv } = scene;
  const foreign = `foreign:${randomBytes(32).toString('base64')}`;
  const keyless = startWorker({ ...workerEnv, SECRET_KEYS: foreign });
  const wasUp = await keyless.up;
  for (const end = performance.now() + Math.max(forMs, STICKY_MS); performance.now() < end; ) {
    await killPart(world, 'worker');
    await sleep(KILL_AGAIN_MS);
  }
  await keyless.end();
  const right = startWorker(workerEnv);
  const isUp = await right.up;
  await sleep(forMs);
  await right.end();
  // One that says that it cannot work, and ends, is as good.
  return (wasUp || keyless.hasEnded()) && isUp;
}

function startWorker(env: NodeJS.ProcessEnv) {
  const child: ChildProcess = spawn(process.execPath, [PRODUCT, 'worker'], {
    env: { ...process.env, ...env, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const up = new Promise<boolean>((resolve) => {
    child.once('message', () => resolve(true));
    child.once('exit', () => resolve(false));
    setTimeout(resolve, UP_MS, false).unref();
  });
  const end = async (): Promise<void> => {
    if (hasEnded()) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(late);
  };
  return { up, end, hasEnded };
}

/** As in a fail-over: whoever is connected is thrown out, and whoever connects meanwhile keeps a connection that cannot write. */
async function setReadOnly(url: string, readOnly: boolean): Promise<void> {
  const admin = new pg.Client({ connectionString: url, options: '-c default_transaction_read_only=off' });
  await admin.connect();
  try {
    const name = admin.escapeIdentifier(new URL(url).pathname.slice(1));
    const setting = 'default_transaction_read_only';
    await admin.query(`ALTER DATABASE ${name} ${readOnly ? `SET ${setting} = on` : `RESET ${setting}`}`);
    if (!readOnly) return;
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
  } finally {
    await admin.end();
  }
}
