import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/gladly/division.ts';
import type { Governor } from '../../../src/gladly/quota.ts';
import { type ClaimKey, type Claims, shareQuota } from '../../../src/gladly/shared-quota.ts';
import { quotaCounter, type Window } from '../../support/gladly/quota-counter.ts';
import { type SimulatedClock, seeded, simulatedClock } from '../../support/gladly/time.ts';

/** What the table of claims does (src/store/quota-claims.ts, tested on Postgres), on a clock of the tests' own. */
function claimsTable(clock: SimulatedClock, latency: () => number) {
  const rows = new Map<string, ClaimKey & Claim & { worker: string; seenAt: number }>();
  const state = { isOut: false, exchanges: 0, written: 0 };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const of = (worker: string): Claims => ({
    exchange: async (own) => {
      state.exchanges++;
      state.written += own.length;
      await sleep(latency());
      if (state.isOut) throw new Error('out');
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
    calls.filter(
      (it) => it.at >= from * 1_000 && it.at < to * 1_000 && (worker === undefined || it.worker === worker),
    );
  return {
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
const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

describe.each(windows)('counted in $name', ({ window }) => {
  it.each(seeds)('8 tenants of one organization that start at once over three workers meet no 429 (seed %i)', async (seed) => {
    const world = newWorld({ window, seed });
    for (let i = 0; i < 3; i++) world.start();
    for (let i = 0; i < 8; i++) void world.tenant(i % 3, 60_000, null, 100 * world.random());
    await world.clock.runUntil(60_000);
    const shares = [0, 1, 2].map((worker) => world.perSecond(5, 60, worker));
    console.log(seed, window.kind, world.calls[0]?.at, world.between(0,1).length, world.between(1,2).length,world.between(2,3).length, world.refused(0,3), world.refused(3), world.perSecond(3,60).toFixed(2), shares.map((it)=>it.toFixed(2)).join(' '), world.table.state.exchanges);
    expect(world.refused()).toBe(0);
    expect(world.perSecond(3, 60)).toBeGreaterThanOrEqual(0.9 * 7);
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(1.2);
  });
});
