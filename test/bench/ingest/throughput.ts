import type { Child } from './children.ts';
import { type Figure, figure, median } from './figures.ts';
import type { Ground, Tenant } from './ground.ts';

export interface Sample {
  readonly perSecond: number;
  /** CPU time of the endpoint's process for one accepted event, in microseconds. */
  readonly cpuUs: number;
}

export interface Contest {
  readonly ground: Ground;
  readonly loader: Child;
  readonly say: (line: string) => void;
  readonly roundMs: number;
  readonly rounds: number;
}

const CONNECTIONS = 50;

/** One server under full load for a while. What it accepted must be in the queues, to the last one. */
export async function measure(
  { ground, loader, roundMs }: Contest,
  server: Child,
  tenants: readonly Tenant[],
  isDurable: boolean,
): Promise<Sample> {
  const label = `e${process.hrtime.bigint()}`;
  const order = {
    port: server.port,
    connections: CONNECTIONS,
    requests: Number.MAX_SAFE_INTEGER,
    perSecond: null,
    tenants,
  };
  await ground.countAndEmpty();
  const before = await server.usage();
  const { statuses, seconds } = await loader.load({ ...order, durationMs: roundMs, label });
  const after = await server.usage();
  const accepted = statuses['200'] ?? 0;
  if (Object.keys(statuses).length !== 1) throw new Error(`answers other than 200: ${JSON.stringify(statuses)}`);
  const found = await ground.countAndEmpty();
  if (isDurable && found !== accepted) throw new Error(`${accepted} accepted, but ${found} in the queues`);
  return { perSecond: accepted / seconds, cpuUs: (after.cpuUs - before.cpuUs) / accepted };
}

/** Bare node:http, bare Koa, the naive endpoint and ours, in turn, so that a noisy machine is noisy for all of them. */
export async function throughput(contest: Contest): Promise<{ readonly figures: Figure[]; readonly ours: Child }> {
  const { ground, say } = contest;
  const [one] = ground.tenants;
  if (one === undefined) throw new Error('no tenant');
  const names = ['bare', 'koa', 'naive', 'ours'] as const;
  const servers = {
    bare: await ground.start('bare'),
    koa: await ground.start('koa'),
    naive: await ground.start('naive'),
    ours: await ground.start('ours'),
  };
  const samples: Record<string, Sample[]> = {};
  const add = (name: string, sample: Sample): void => {
    samples[name] = [...(samples[name] ?? []), sample];
  };
  // The first round is for the compilers, and does not count.
  for (let round = 0; round <= contest.rounds; round += 1) {
    for (const name of names) {
      const isDurable = name === 'naive' || name === 'ours';
      const sample = await measure(contest, servers[name], [one], isDurable);
      if (round > 0) add(name, sample);
    }
    for (const name of ['naive', 'ours'] as const) {
      const sample = await measure(contest, servers[name], ground.tenants, true);
      if (round > 0) add(`${name} over ${ground.tenants.length} tenants`, sample);
    }
  }
  const middle = (name: string, key: keyof Sample): number =>
    median((samples[name] ?? []).map((sample) => sample[key]));
  for (const name of Object.keys(samples)) {
    say(
      `${name}: ${Math.round(middle(name, 'perSecond'))} a second, ${middle(name, 'cpuUs').toFixed(1)} µs of CPU each`,
    );
  }
  say(`naive: CPU ${(middle('naive', 'cpuUs') / middle('koa', 'cpuUs')).toFixed(1)} times bare Koa's`);
  for (const name of ['bare', 'koa', 'naive'] as const) servers[name].kill();
  const spread = `over ${ground.tenants.length} tenants`;
  return {
    ours: servers.ours,
    figures: [
      figure('cpu_vs_koa', middle('ours', 'cpuUs') / middle('koa', 'cpuUs'), 'times', 'lower', 3),
      figure('ingest_vs_naive', middle('ours', 'perSecond') / middle('naive', 'perSecond'), 'times', 'higher', 5),
      figure(
        'spread_vs_naive',
        middle(`ours ${spread}`, 'perSecond') / middle(`naive ${spread}`, 'perSecond'),
        'times',
        'higher',
        2,
      ),
    ],
  };
}
