import { pino } from 'pino';
import { readConfig } from '../../../src/config.ts';
import type { ExtractionActivities } from '../../../src/contracts/extraction.ts';
import { startGladly, type TestGladly } from './gladly.ts';
import { clientOf, connected, type Operated } from './operated.ts';
import { eventually } from './waits.ts';
import { startTestWorker } from './worker.ts';
import { startWorld, type WorldOptions } from './world.ts';

interface Release {
  readonly workflows: { readonly code: string };
  readonly later?: (activities: ExtractionActivities) => object;
}

/** A world whose worker is of one release and then of another, with so many organizations that have no tenant yet. */
export async function startDeployedWorld<Name extends string>(
  releases: Record<Name, Release>,
  organizations: number,
  options: Pick<WorldOptions, 'env' | 'temporal'> = {},
) {
  const gladlies = await Promise.all(Array.from({ length: organizations }, () => startGladly()));
  const world = await startWorld({ ...options, gladlyHosts: gladlies.map(({ host }) => host), worker: false });
  const client = clientOf(world);
  let worker: Awaited<ReturnType<typeof startTestWorker>> | null = null;
  let used = 0;
  const organization = (): TestGladly => {
    const gladly = gladlies[used++];
    if (!gladly) throw new Error('There are too few organizations.');
    return gladly;
  };
  return {
    world,
    client,
    organization,
    /** The worker that is there stops in order, and one of this release takes over. */
    async deploy(release: Name): Promise<void> {
      await worker?.stop();
      worker = await startTestWorker({
        env: world.env,
        config: readConfig(world.variables, 'worker'),
        db: world.db,
        lookup: undefined,
        logger: pino({ level: 'silent' }),
        ...releases[release],
      });
    },
    /** A tenant of each of the next organizations. */
    connect: (count: number): Promise<Operated[]> =>
      Promise.all(Array.from({ length: count }, () => connected(world, client, organization()))),
    async close(): Promise<void> {
      await worker?.stop();
      await world.close();
      await Promise.all(gladlies.map((gladly) => gladly.close()));
    },
  };
}

export const emit = ({ gladly }: Operated, count: number) =>
  gladly.control('POST', '/emit', { count, onlySubscribed: true });

/** All that was delivered is extracted, `count` events by now. */
export const extracted = (tenant: Operated, count: number, ms?: number) =>
  tenant.until(
    `${count} extracted`,
    ({ events }) => events.extracted >= count && events.waiting === 0 && events.inQueue === 0,
    ms,
  );

/** Its task has failed often enough for the sweep to say so: Temporal waits 10 s before it tries it for the third time. */
export const isWedged = ({ extraction }: Operated) =>
  eventually(async () => {
    const attempt = (await extraction.describe()).raw.pendingWorkflowTask?.attempt ?? 0;
    if (attempt <= 2) throw new Error(`${extraction.workflowId}: its task was tried ${attempt} times`);
  }, 25_000);

/** Temporal waits up to 15 s before it tries such a task for the fifth time. */
export const GOES_ON_MS = 40_000;
