/**
 * Whether the part in this container works, as its container platform asks: exit code 0, or 1 and why on stderr. Argument: api or worker.
 * It asks what only a working part brings about: an answer over HTTP, or fresh polls of this host's on every task queue.
 */
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { EXTRACTION_TASK_QUEUE, ONBOARDING_TASK_QUEUE } from '../../src/contracts/tenant.ts';

/** A poll is answered within a minute and made again at once; Temporal itself forgets a poller after five. */
const FRESH_MS = 120_000;
/** For each question; the container platform waits 10 s. */
const DEADLINE_MS = 4_000;

const CHECKS = { api: checkApi, worker: checkWorker } as const;

export interface Poller {
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly seenAt: number;
}

/** Throws when the API on this host does not say that it is alive. */
export async function checkApi(env: NodeJS.ProcessEnv): Promise<void> {
  const url = `http://127.0.0.1:${env['API_PORT'] || '3000'}/health/live`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
}

/** Throws when a task queue has not been polled from this host for two minutes. */
export async function checkWorker(env: NodeJS.ProcessEnv): Promise<void> {
  const address = env['TEMPORAL_ADDRESS'];
  if (address === undefined) throw new Error('TEMPORAL_ADDRESS: missing');
  const namespace = env['TEMPORAL_NAMESPACE'] || 'default';
  const connection = await Connection.connect({ address, connectTimeout: DEADLINE_MS });
  try {
    for (const name of [ONBOARDING_TASK_QUEUE, EXTRACTION_TASK_QUEUE]) {
      const { pollers } = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        // 2: TASK_QUEUE_TYPE_ACTIVITY. A worker polls for activities as long as it runs.
        connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: 2 }),
      );
      const seen = (pollers ?? []).map(({ identity, lastAccessTime }) => ({
        identity: identity ?? '',
        seenAt: Number(lastAccessTime?.seconds ?? 0) * 1_000,
      }));
      if (!isPolled(seen, hostname(), Date.now()))
        throw new Error(`nobody on ${hostname()} polls the task queue ${name}`);
    }
  } finally {
    await connection.close();
  }
}

/** Temporal's SDK calls a worker `<pid>@<hostname>`; in a container the hostname is the container's own. */
export function isPolled(pollers: readonly Poller[], host: string, now: number): boolean {
  return pollers.some(({ identity, seenAt }) => identity.endsWith(`@${host}`) && now - seenAt < FRESH_MS);
}

if (import.meta.main) {
  const part = process.argv[2] ?? '';
  try {
    if (!Object.hasOwn(CHECKS, part)) throw new Error('usage: healthcheck.ts api | worker');
    await CHECKS[part as keyof typeof CHECKS](process.env);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
