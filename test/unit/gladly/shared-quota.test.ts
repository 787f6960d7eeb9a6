import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/gladly/division.ts';
import { createGovernor, type Governor } from '../../../src/gladly/quota.ts';
import { type ClaimKey, type Claims, shareQuota } from '../../../src/gladly/shared-quota.ts';
import { quotaCounter, type Window } from '../../support/gladly/quota-counter.ts';
import { type SimulatedClock, seeded, simulatedClock } from '../../support/gladly/time.ts';

/** What the table of claims does (src/store/quota-claims.ts, tested on Postgres), on a clock of the tests' own. */
function claimsTable(clock: SimulatedClock, latency: () => number) {
  const rows = new Map<string, ClaimKey & Claim & { worker: string; seenAt: number }>();
  const state = { isOut: false, exchanges: 0, written: 0, dead: new Set<string>() };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const of = (worker: string): Claims => ({
    exchange: async (own) => {
      state.exchanges++;
      state.written += own.length;
      await sleep(latency());
      if (state.isOut || state.dead.has(worker)) throw new Error('out');
      // As a statement: it sees what was committed before it began.
      const seen = [...rows.values()];
      await sleep(latency());
      for (const it of own) rows.set(`${worker} ${it.host} ${it.method}`, { ...it, worker, seenAt: clock.now() });
      return seen.filter(
        (it) =>
          it.worker !== worker &&
          clock.now() - it.seenAt < 7_000 &&
          own.some((mine) => mine.host === it.host && mine.method === it.method),
      );
    },
    withdraw: async () => {
      for (const [key, it] of rows) if (it.worker === worker) rows.delete(key);
    },
  });
  return { of, state, rows };
}

interface Call {
  readonly at: number;
  readonly worker: number;
  readonly refused: boolean;
}

function newWorld(options: { seed?: number; window?: Window; limit?: number } = {}) {
  const { seed = 1, window = { kind: 'sliding' }, limit = 10 } = options;
  const random = seeded(seed);
  const clock = simulatedClock(() => 3 * random());
  const table = claimsTable(clock, () => 1 + 4 * random());
  const count = quotaCounter(limit, window);
  const calls: Call[] = [];
  const rival = { sent: 0, refused: 0 };
  const lost: unknown[] = [];
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const dead = new Set<number>();
  const workers: { governor: Governor; leave: () => Promise<void> }[] = [];

  function start(): number {
    const number = workers.length;
    const { governors, leave } = shareQuota({
      claims: table.of(`w${number}`),
      clock,
      random,
      onLost: (error) => lost.push(error),
    });
    workers.push({ governor: governors('acme.gladly.com'), leave });
    return number;
  }

  async function call(worker: number): Promise<void> {
    if (dead.has(worker)) return await new Promise(() => undefined);
    const permit = await workers[worker]?.governor.acquire('GET');
    await sleep(15 + 30 * random());
    const answer = count(clock.now());
    calls.push({ at: clock.now(), worker, refused: answer.status === 429 });
    await sleep(15 + 30 * random());
    permit?.report(answer);
  }

  /** A tenant with a backlog, or calls at a distance. */
  async function tenant(worker: number, until: number, everyMs: (() => number) | null = null, at = 0): Promise<void> {
    await sleep(at);
    while (clock.now() < until) {
      await call(worker);
      if (everyMs) await sleep(everyMs());
    }
  }

  async function rivalOf(perSecond: number, from: number, until: number): Promise<void> {
    await sleep(from);
    while (clock.now() < until) {
      rival.sent++;
      if (count(clock.now()).status === 429) rival.refused++;
      await sleep(1_000 / perSecond);
    }
  }

  const between = (from: number, to: number, worker?: number): Call[] =>
    calls.filter((it) => it.at >= from * 1_000 && it.at < to * 1_000 && (worker === undefined || it.worker === worker));
  return {
    kill: (worker: number): void => {
      dead.add(worker);
      table.state.dead.add(`w${worker}`);
    },
    ...{ clock, table, calls, rival, lost, workers, random },
    ...{ start, call, tenant, rivalOf, between },
    perSecond: (from: number, to: number, worker?: number): number => between(from, to, worker).length / (to - from),
    refused: (from = 0, to = Number.POSITIVE_INFINITY): number => between(from, to).filter((it) => it.refused).length,
  };
}

const windows: { name: string; window: Window }[] = [
  { name: 'seconds that begin with ours', window: { kind: 'fixed', phaseMs: 0 } },
  { name: 'seconds that begin elsewhere', window: { kind: 'fixed', phaseMs: 617 } },
  { name: 'a sliding second', window: { kind: 'sliding' } },
];
const seeds = Array.from({ length: 8 }, (_, i) => i + 1);

describe.each(windows)('counted in $name', ({ window }) => {
  it.each(seeds)('8 tenants that start at once over three workers meet no 429 (seed %i)', async (seed) => {
    const world = newWorld({ window, seed });
    for (let i = 0; i < 3; i++) world.start();
    for (let i = 0; i < 8; i++) void world.tenant(i % 3, 60_000, null, 100 * world.random());
    await world.clock.runUntil(60_000);
    expect(world.refused()).toBe(0);
    expect(world.perSecond(0, 1)).toBeGreaterThanOrEqual(6);
    expect(world.perSecond(3, 60)).toBeGreaterThanOrEqual(0.9 * 7);
    const shares = [0, 1, 2].map((worker) => world.perSecond(5, 60, worker));
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(1.2);
  });

  it.each(seeds)('a worker that comes later gets its part within seconds, without a 429 (seed %i)', async (seed) => {
    const world = newWorld({ window, seed });
    for (let i = 0; i < 2; i++) world.start();
    for (let i = 0; i < 3; i++) void world.tenant(0, 60_000);
    for (let i = 0; i < 3; i++) void world.tenant(1, 60_000, null, 20_000 + 1_000 * world.random());
    await world.clock.runUntil(60_000);
    expect(world.refused()).toBe(0);
    expect(world.perSecond(1, 20)).toBeGreaterThanOrEqual(0.98 * 7);
    // What one gives up is taken by the other only after it was told.
    expect(world.perSecond(20, 27)).toBeGreaterThanOrEqual(0.7 * 7);
    for (const worker of [0, 1]) expect(world.perSecond(27, 60, worker)).toBeGreaterThanOrEqual(0.9 * 3.5);
  });

  it.each([1, 2, 3])(
    'three workers beside a rival of 5 a second: hardly a call meets a 429 (seed %i)',
    async (seed) => {
      const world = newWorld({ window, seed });
      for (let i = 0; i < 3; i++) world.start();
      for (let i = 0; i < 8; i++) void world.tenant(i % 3, 300_000);
      void world.rivalOf(5, 20_000, 300_000);
      await world.clock.runUntil(300_000);
      expect(world.rival.refused / world.rival.sent).toBeLessThanOrEqual(0.01);
      expect(world.refused() / world.calls.length).toBeLessThanOrEqual(0.01);
      expect(world.perSecond(25, 300)).toBeGreaterThanOrEqual(2.4);
    },
  );

  it.each([1, 2, 3])('workers that ask now and then leave the rest to one with a backlog (seed %i)', async (seed) => {
    const world = newWorld({ window, seed });
    for (let i = 0; i < 4; i++) world.start();
    for (let i = 0; i < 3; i++) void world.tenant(0, 60_000);
    for (let i = 1; i < 4; i++) void world.tenant(i, 60_000, () => 3_000 * world.random());
    await world.clock.runUntil(60_000);
    expect(world.refused()).toBeLessThanOrEqual(3);
    // An even division would leave it 1.75.
    expect(world.perSecond(5, 60, 0)).toBeGreaterThanOrEqual(3);
    expect(world.perSecond(5, 60)).toBeGreaterThanOrEqual(0.75 * 7);
  });

  it('a single worker is as fast as without any others to ask', async () => {
    const world = newWorld({ window });
    world.start();
    for (let i = 0; i < 8; i++) void world.tenant(0, 60_000);
    await world.clock.runUntil(60_000);
    expect(world.refused()).toBe(0);
    // 7 and one that was on its way.
    expect(world.between(0, 1).length).toBeGreaterThanOrEqual(7);
    expect(world.perSecond(0, 60)).toBeGreaterThanOrEqual(0.98 * 7);
    expect(world.table.state.exchanges).toBeLessThanOrEqual(60 / 2 + 3);
  });
});

it('the two requests of a single event wait for nobody, beside whatever backlog of another worker', async () => {
  const world = newWorld();
  for (let i = 0; i < 2; i++) world.start();
  for (let i = 0; i < 3; i++) void world.tenant(0, 30_000);
  await world.clock.runUntil(20_000);
  const granted: number[] = [];
  for (let i = 0; i < 2; i++) {
    void world.workers[1]?.governor.acquire('GET').then((permit) => {
      granted.push(world.clock.now() - 20_000);
      permit.report();
    });
  }
  await world.clock.runUntil(21_000);
  expect(granted[0]).toBe(0);
  expect(granted[1]).toBeLessThanOrEqual(150);
});

it('the part of a worker that died is divided among the others', async () => {
  const world = newWorld();
  for (let i = 0; i < 2; i++) world.start();
  for (let i = 0; i < 3; i++) void world.tenant(0, 60_000);
  for (let i = 0; i < 3; i++) void world.tenant(1, 60_000);
  await world.clock.runUntil(20_000);
  world.kill(1);
  await world.clock.runUntil(60_000);
  expect(world.perSecond(10, 20, 0)).toBeLessThanOrEqual(3.7);
  expect(world.perSecond(31, 60, 0)).toBeGreaterThanOrEqual(0.95 * 7);
});

it('one that leaves, or has nothing to do any more, is not waited for', async () => {
  const world = newWorld();
  for (let i = 0; i < 3; i++) world.start();
  for (let i = 0; i < 3; i++) void world.tenant(i, i === 0 ? 60_000 : 20_000);
  await world.clock.runUntil(20_100);
  await world.workers[1]?.leave();
  await world.clock.runUntil(60_000);
  expect([...world.table.rows.keys()].some((key) => key.startsWith('w1'))).toBe(false);
  expect(world.perSecond(27, 60)).toBeGreaterThanOrEqual(0.95 * 7);
});

it('while nobody can be heard of, each keeps to what it knew, and asks every two seconds', async () => {
  const world = newWorld();
  for (let i = 0; i < 3; i++) world.start();
  for (let i = 0; i < 6; i++) void world.tenant(i % 3, 120_000);
  await world.clock.runUntil(20_000);
  const before = world.table.state.exchanges;
  world.table.state.isOut = true;
  await world.clock.runUntil(80_000);
  expect(world.refused()).toBe(0);
  expect(world.perSecond(20, 80)).toBeGreaterThanOrEqual(0.9 * 7);
  expect(world.table.state.exchanges - before).toBeLessThanOrEqual(3 * 31);
  expect(world.lost).toHaveLength(3);
  world.table.state.isOut = false;
  await world.clock.runUntil(120_000);
  expect(world.refused()).toBe(0);
  expect(world.lost).toHaveLength(3);
});

it('nothing is asked while nothing is at work, and all organizations are asked for at once', async () => {
  const clock = simulatedClock();
  const table = claimsTable(clock, () => 1);
  const { governors } = shareQuota({ claims: table.of('w'), clock, random: () => 0, onLost: () => undefined });
  for (let i = 0; i < 100; i++) (await governors(`org-${i}.gladly.com`).acquire('GET')).report();
  await clock.runUntil(2_100);
  expect(table.state).toMatchObject({ exchanges: 1, written: 100 });
  await clock.runUntil(20_000);
  // Once more, to say that they are still.
  expect(table.state).toMatchObject({ exchanges: 2, written: 200 });
  expect(clock.pending()).toBe(0);
});

it('a single worker that begins sends its first requests hardly later than if there were no others', async () => {
  const clock = simulatedClock();
  const { governors } = shareQuota({
    claims: claimsTable(clock, () => 2).of('w'),
    clock,
    random: () => 0,
    onLost: () => undefined,
  });
  const times: Record<'alone' | 'shared', number[]> = { alone: [], shared: [] };
  for (const [name, governor] of [
    ['alone', createGovernor({ clock, random: () => 0 })],
    ['shared', governors('acme.gladly.com')],
  ] as const) {
    for (let i = 0; i < 6; i++) {
      void governor.acquire('GET').then((permit) => {
        times[name].push(clock.now());
        permit.report();
      });
    }
  }
  await clock.runUntil(2_000);
  expect(times.shared.slice(0, 2)).toEqual(times.alone.slice(0, 2));
  times.shared.forEach((at, i) => {
    expect(at - (times.alone[i] ?? 0)).toBeLessThanOrEqual(30);
  });
});

it.each([
  { workers: 2, withinMs: 100, most: 0 },
  { workers: 3, withinMs: 100, most: 0 },
  { workers: 3, withinMs: 3_000, most: 0 },
  // Five that begin while others are at full pace: each may send one before it has heard of anybody.
  { workers: 5, withinMs: 3_000, most: 0.003 },
])('tenants that start whenever within $withinMs ms on $workers workers', async ({ workers, withinMs, most }) => {
  let [calls, refused] = [0, 0];
  for (let seed = 1; seed <= 60; seed++) {
    const world = newWorld({ seed, ...windows[seed % windows.length] });
    for (let i = 0; i < workers; i++) world.start();
    const tenants = workers + Math.floor(world.random() * 8);
    for (let i = 0; i < tenants; i++) void world.tenant(i % workers, 12_000, null, withinMs * world.random());
    await world.clock.runUntil(12_000);
    calls += world.calls.length;
    refused += world.refused();
  }
  expect(refused / calls).toBeLessThanOrEqual(most);
});
