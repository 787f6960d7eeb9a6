import { describe, expect, it } from 'vitest';
import { createGovernor, type Governor } from '../../../src/gladly/quota.ts';
import { quotaCounter, type Window } from '../../support/gladly/quota-counter.ts';
import { seeded, simulatedClock } from '../../support/gladly/time.ts';

type Rival = (random: () => number) => number;

const steady =
  (perSecond: number): Rival =>
  () =>
    1_000 / perSecond;
const poisson =
  (perSecond: number): Rival =>
  (random) =>
    (-Math.log(1 - random()) * 1_000) / perSecond;

interface Scenario {
  readonly window: Window;
  readonly rivals?: readonly { readonly wait: Rival; readonly from?: number; readonly until?: number }[];
  readonly seconds: number;
  readonly seed?: number;
  readonly limit?: number;
  readonly workers?: number;
  /** Milliseconds on the way to the counter and back. */
  readonly latency?: (random: () => number) => number;
}

/** Runs a backlog against a counter, beside rivals, in simulated time. */
async function run(scenario: Scenario) {
  const { window, rivals = [], seconds, seed = 1, limit = 10, workers = 8, latency = (r) => 30 + 60 * r() } = scenario;
  const random = seeded(seed);
  const clock = simulatedClock(() => 3 * random());
  const governor = createGovernor({ clock, random });
  const count = quotaCounter(limit, window);
  const end = seconds * 1_000;
  const ours = { sent: [] as number[], refused: 0 };
  const theirs = { sent: 0, refused: 0 };

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const work = async (): Promise<void> => {
    while (clock.now() < end) {
      const permit = await governor.acquire('GET');
      ours.sent.push(clock.now());
      await sleep(latency(random) / 2);
      const answer = count(clock.now());
      if (answer.status === 429) ours.refused++;
      await sleep(latency(random) / 2);
      permit.report(answer);
    }
  };
  const rival = async (wait: Rival, from: number, until: number): Promise<void> => {
    await sleep(from + 1_000 * random());
    while (clock.now() < until) {
      theirs.sent++;
      if (count(clock.now()).status === 429) theirs.refused++;
      await sleep(wait(random));
    }
  };
  const everybody = [
    ...Array.from({ length: workers }, work),
    ...rivals.map((it) => rival(it.wait, it.from ?? 0, it.until ?? end)),
  ];
  await clock.runUntil(end);
  const perSecond = (from: number, to: number): number =>
    ours.sent.filter((at) => at >= from * 1_000 && at < to * 1_000).length / (to - from);
  return { ours, theirs, perSecond, snapshot: governor.snapshot('GET'), everybody };
}

const windows: { name: string; window: Window }[] = [
  { name: 'seconds that begin with ours', window: { kind: 'fixed', phaseMs: 0 } },
  { name: 'seconds that begin elsewhere', window: { kind: 'fixed', phaseMs: 617 } },
  { name: 'a sliding second', window: { kind: 'sliding' } },
];

describe.each(windows)('counted in $name', ({ window }) => {
  it.each([1, 2, 3])('alone, a backlog uses at least 95 % of the share and meets no 429 (seed %i)', async (seed) => {
    const { ours, perSecond } = await run({ window, seconds: 120, seed });
    expect(ours.refused).toBe(0);
    expect(perSecond(1, 120)).toBeGreaterThanOrEqual(0.95 * 7);
    expect(perSecond(1, 120)).toBeLessThanOrEqual(7.05);
  });

  it.each([1, 2, 3])(
    'beside a rival of 5 a second hardly a call of its and of ours meets a 429 (seed %i)',
    async (seed) => {
      const { ours, theirs, perSecond } = await run({ window, seconds: 300, seed, rivals: [{ wait: steady(5) }] });
      expect(theirs.refused / theirs.sent).toBeLessThanOrEqual(0.01);
      expect(ours.refused / ours.sent.length).toBeLessThanOrEqual(0.01);
      // And what the rival leaves is used, but for the reserve.
      expect(perSecond(5, 300)).toBeGreaterThanOrEqual(2.4);
    },
  );

  it('beside a rival that comes in bursts of 5', async () => {
    let n = 0;
    const bursts: Rival = () => (++n % 5 === 0 ? 1_000 : 0);
    const { ours, theirs } = await run({ window, seconds: 300, rivals: [{ wait: bursts }] });
    expect(theirs.refused / theirs.sent).toBeLessThanOrEqual(0.01);
    expect(ours.refused / ours.sent.length).toBeLessThanOrEqual(0.01);
  });

  // At random, 10 requests of such a rival may fall into one second, and then the best neighbour cannot help it.
  it('beside a rival that comes at random, 4 a second on average', async () => {
    const { ours, theirs } = await run({ window, seconds: 300, rivals: [{ wait: poisson(4) }] });
    expect(theirs.refused / theirs.sent).toBeLessThanOrEqual(0.02);
    expect(ours.refused / ours.sent.length).toBeLessThanOrEqual(0.02);
  });

  it('takes back its share within 30 s after the rival has gone', async () => {
    const { perSecond } = await run({ window, seconds: 140, rivals: [{ wait: steady(5), until: 60_000 }] });
    expect(perSecond(30, 60)).toBeLessThan(5.1);
    expect(perSecond(90, 140)).toBeGreaterThanOrEqual(0.95 * 7);
  });

  it('goes on, slowly, beside a rival that takes everything', async () => {
    const { theirs, perSecond } = await run({ window, seconds: 300, rivals: [{ wait: steady(10) }] });
    // Each of ours costs one of theirs: nothing is left over.
    expect(theirs.refused / theirs.sent).toBeLessThanOrEqual(0.15);
    expect(perSecond(10, 300)).toBeGreaterThan(0.01);
    expect(perSecond(10, 300)).toBeLessThan(1.5);
  });

  it('two of our own processes share without a 429', async () => {
    const { ours, refused } = await runTwo(window);
    expect(refused / ours).toBeLessThanOrEqual(0.01);
    expect(ours / 300).toBeGreaterThanOrEqual(5);
  });
});

async function runTwo(window: Window): Promise<{ ours: number; refused: number }> {
  const random = seeded(7);
  const clock = simulatedClock(() => 3 * random());
  const count = quotaCounter(10, window);
  let ours = 0;
  let refused = 0;
  const work = async (governor: Governor): Promise<void> => {
    while (clock.now() < 300_000) {
      const permit = await governor.acquire('GET');
      await new Promise<void>((resolve) => void clock.after(20 + 40 * random(), resolve));
      const answer = count(clock.now());
      ours++;
      if (answer.status === 429) refused++;
      permit.report(answer);
    }
  };
  const governors = [createGovernor({ clock, random }), createGovernor({ clock, random })];
  const running = governors.flatMap((governor) => [work(governor), work(governor), work(governor)]);
  await clock.runUntil(300_000);
  expect(running).toHaveLength(6);
  return { ours, refused };
}
