import { figure, median } from '../support/figures.ts';
import type { Finding } from '../support/report.ts';
import type { Child } from './children.ts';
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
  /** Of a round at full load, and of one at a given rate. */
  readonly roundMs: number;
  readonly pacedMs: number;
  readonly rounds: number;
}

const CONNECTIONS = 50;

/** Measures one server under full load. Throws when a durable server accepted more or fewer events than its queues hold. */
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

const NAMES = ['bare', 'koa', 'naive', 'ours'] as const;
export type Servers = Readonly<Record<(typeof NAMES)[number], Child>>;

export const startAll = async (ground: Ground): Promise<Servers> => ({
  bare: await ground.start('bare'),
  koa: await ground.start('koa'),
  naive: await ground.start('naive'),
  ours: await ground.start('ours'),
});

/** Measures bare node:http, bare Koa, the naive endpoint and ours in turn, so that noise of the machine affects all of them. */
export async function throughput(contest: Contest, servers: Servers): Promise<readonly Finding[]> {
  const { ground, say, rounds } = contest;
  const one = ground.tenants.slice(0, 1);
  const spread = `over ${ground.tenants.length} tenants`;
  const samples = new Map<string, Sample[]>();
  // The first round warms up the JIT and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    const add = (name: string, sample: Sample): void => {
      if (round > 0) samples.set(name, [...(samples.get(name) ?? []), sample]);
    };
    for (const name of NAMES) {
      add(name, await measure(contest, servers[name], one, name === 'naive' || name === 'ours'));
    }
    for (const name of ['naive', 'ours'] as const) {
      add(`${name} ${spread}`, await measure(contest, servers[name], ground.tenants, true));
    }
  }
  const middle = (name: string, key: keyof Sample): number =>
    median((samples.get(name) ?? []).map((sample) => sample[key]));
  const perSecond = (name: string): string => `${Math.round(middle(name, 'perSecond'))}`;
  const cpu = (name: string): string => `${middle(name, 'cpuUs').toFixed(1)} µs`;
  const ratio = (one: string, other: string, key: keyof Sample): number => middle(one, key) / middle(other, key);
  for (const name of samples.keys()) say(`${name}: ${perSecond(name)} a second, ${cpu(name)} of CPU each`);
  return [
    {
      figure: figure('cpu_vs_koa', ratio('ours', 'koa', 'cpuUs'), 'times', 'lower', 2),
      how: `CPU time of the endpoint's process for an event, 50 connections, one tenant, the middle of ${rounds} alternating rounds: ${cpu('ours')}; bare Koa, which keeps nothing, ${cpu('koa')}; bare node:http ${cpu('bare')}; naive ${cpu('naive')} (${ratio('naive', 'koa', 'cpuUs').toFixed(1)} times Koa's)`,
    },
    {
      figure: figure('ingest_vs_naive', ratio('ours', 'naive', 'perSecond'), 'times', 'higher', 8),
      how: `in the same rounds: ${perSecond('ours')} a second, naive ${perSecond('naive')}, bare Koa ${perSecond('koa')}, bare node:http ${perSecond('bare')}; every accepted one was found in the queue. Load client and emulator share the machine with the endpoint`,
    },
    {
      figure: figure(
        'spread_vs_naive',
        ratio(`ours ${spread}`, `naive ${spread}`, 'perSecond'),
        'times',
        'higher',
        2.8,
      ),
      how: `the same load ${spread}, where fewer find company for a batch: ${perSecond(`ours ${spread}`)} a second, naive ${perSecond(`naive ${spread}`)}`,
    },
  ];
}
