import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { World, WorldPart } from '../bench/support/world.ts';
import type { Pipeline } from '../test/support/pipeline.ts';
import type { Happening } from './plan.ts';

/** What a run does its plan to. */
export interface Victim {
  readonly world: World;
  readonly pipeline: Pipeline;
  /** Kills a part with SIGKILL; resolves when its successor has been started. */
  readonly kill: (part: WorldPart) => Promise<void>;
}

/** How often each thing was really done, by its name: `kill worker`, `fault 503`, `pause` ... */
export type Done = Map<string, number>;

/** Does what the plan says, each at its time; a late one does not move the others. Resolves when all is done. */
export async function doAll(victim: Victim, plan: readonly Happening[], done: Done): Promise<void> {
  const start = performance.now();
  const at = async (happening: Happening): Promise<void> => {
    await sleep(Math.max(0, happening.atMs - (performance.now() - start)));
    await doOne(victim, happening);
    const name = nameOf(happening);
    done.set(name, (done.get(name) ?? 0) + 1);
  };
  const kills = plan.filter(({ kind }) => kind === 'kill');
  const pauses = plan.filter(({ kind }) => kind === 'pause');
  const others = plan.filter(({ kind }) => kind !== 'kill' && kind !== 'pause');
  // One after the other among their own kind: a part must be back to be killed again, and a pause be over to pause again.
  await Promise.all([kills, pauses, others].map((kind) => inTurn(kind, at)));
}

/** The parts of this world under the supervisor of `npm start`, which starts again whatever ends. */
export async function killPart(world: World, part: WorldPart): Promise<void> {
  const pid = await until(() => runningPid(world, part), `${part} runs`);
  process.kill(pid, 'SIGKILL');
  await until(() => {
    const next = runningPid(world, part);
    return next === pid ? undefined : next;
  }, `${part} has been started again`);
}

function runningPid(world: World, part: WorldPart): number | undefined {
  const pid = world.pidOf(part);
  try {
    if (pid !== undefined) process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

async function doOne({ pipeline, kill }: Victim, happening: Happening): Promise<void> {
  switch (happening.kind) {
    case 'kill':
      return kill(happening.part);
    case 'fault':
      await pipeline.control('POST', '/simulator/faults', happening.fault, z.unknown());
      return;
    case 'pause':
      await insist(pipeline, 'pause', { reason: 'chaos' });
      await sleep(happening.forMs);
      return insist(pipeline, 'resume', {});
    case 'resend':
      return resend(pipeline, happening.count);
  }
}

/** An API or a Temporal that is down is asked again, as an operator would. */
export async function insist(pipeline: Pipeline, what: 'pause' | 'resume', body: object): Promise<void> {
  await until(
    async () => {
      const answer = await pipeline
        .ask('POST', `/v1/tenants/${pipeline.tenantId}/${what}`, body)
        .catch(() => undefined);
      return answer?.status === 202 ? true : undefined;
    },
    `${what} is accepted`,
    120_000,
  );
}

const events = z.object({ deliveries: z.array(z.object({ eventId: z.string() })) });

/** The latest delivered ones: these are the ones that are still on their way through us. */
async function resend(pipeline: Pipeline, count: number): Promise<void> {
  const info = await pipeline.control('GET', '/simulator/deliveries?state=delivered&limit=10000', undefined, events);
  for (const { eventId } of info.deliveries.slice(-count)) {
    await pipeline.control('POST', '/simulator/deliveries/resend', { eventId }, z.unknown());
  }
}

async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  what: string,
  withinMs = 60_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
}

async function inTurn<T>(list: readonly T[], work: (entry: T) => Promise<void>): Promise<void> {
  for (const entry of list) await work(entry);
}

function nameOf(happening: Happening): string {
  switch (happening.kind) {
    case 'kill':
      return `kill ${happening.part}`;
    case 'fault': {
      const { status, cut, malformed } = happening.fault;
      return `fault ${status ?? (cut ? 'cut answer' : malformed ? 'malformed' : 'slow')}`;
    }
    default:
      return happening.kind;
  }
}
