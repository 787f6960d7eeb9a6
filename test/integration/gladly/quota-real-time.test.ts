import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createGladlyClient } from '../../../src/gladly/client.ts';
import { createGovernor } from '../../../src/gladly/quota.ts';
import { quotaCounter, type Window } from '../../support/gladly/quota-counter.ts';
import { EMAIL, extraHost, json, newConnections, startHttp, TOKEN } from '../../support/gladly/server.ts';

const RIVAL = 'rival@acme.example';
const authorization = (email: string): string => `Basic ${Buffer.from(`${email}:${TOKEN}`).toString('base64')}`;

interface Call {
  readonly at: number;
  readonly rival: boolean;
  readonly refused: boolean;
}

/** A Gladly of nothing but a quota of 10 a second, and the calls it got. */
async function startCounted(window: Window): Promise<{ entry: string; calls: Call[] }> {
  const count = quotaCounter(10, window);
  const calls: Call[] = [];
  const entry = await startHttp((request, response) => {
    const answer = count(performance.now());
    calls.push({
      at: performance.now(),
      rival: request.headers.authorization === authorization(RIVAL),
      refused: answer.status === 429,
    });
    const headers = {
      'ratelimit-limit-second': String(answer.limit),
      'ratelimit-remaining-second': String(answer.remaining),
    };
    setTimeout(() => json(response, answer.status, [], headers), 40);
  });
  return { entry, calls };
}

/** A backlog of our own for `ms`, read by eight at once. */
async function drain(entry: string, ms: number): Promise<void> {
  const client = createGladlyClient({
    host: extraHost(entry),
    email: EMAIL,
    apiToken: TOKEN,
    governor: createGovernor(),
    connections: newConnections(),
  });
  const signal = AbortSignal.timeout(ms);
  const work = async (): Promise<void> => {
    while (!signal.aborted) await client.listAgents(signal).catch(() => undefined);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

async function rivalOf(entry: string, perSecond: number, ms: number): Promise<void> {
  const end = performance.now() + ms;
  const calls: Promise<unknown>[] = [];
  while (performance.now() < end) {
    calls.push(
      fetch(`http://${entry}/api/v1/agents`, { headers: { authorization: authorization(RIVAL) } }).then((it) =>
        it.text(),
      ),
    );
    await sleep(1_000 / perSecond);
  }
  await Promise.all(calls);
}

const from = (calls: readonly Call[], ms: number): Call[] => calls.filter((it) => it.at >= (calls[0]?.at ?? 0) + ms);

/** Refused calls of the rival and ours; alone, the pace; beside the rival, from when we had a second to learn of it. */
async function alone(window: Window): Promise<{ refused: number; perSecond: number }> {
  const { entry, calls } = await startCounted(window);
  await drain(entry, 6_000);
  const counted = from(calls, 500).filter((it) => it.at < (calls[0]?.at ?? 0) + 5_500);
  return { refused: calls.filter((it) => it.refused).length, perSecond: counted.length / 5 };
}

async function besideRival(window: Window): Promise<{ refused: number; ours: number; theirs: number }> {
  const { entry, calls } = await startCounted(window);
  await Promise.all([drain(entry, 8_000), rivalOf(entry, 5, 8_000)]);
  const counted = from(calls, 1_500);
  const theirs = counted.filter((it) => it.rival).length;
  return { refused: counted.filter((it) => it.refused).length, ours: counted.length - theirs, theirs };
}

// All at once, since each has a server of its own and waits most of the time.
it('in real time, over HTTP: the share when alone, and hardly a 429 beside a rival of 5 a second', {
  timeout: 20_000,
}, async () => {
  const fixed: Window = { kind: 'fixed', phaseMs: 333 };
  const sliding: Window = { kind: 'sliding' };
  const [runs, shared] = await Promise.all([
    Promise.all([alone(fixed), alone(sliding)]),
    Promise.all([besideRival(fixed), besideRival(sliding)]),
  ]);
  // Wide enough for a machine that stands still now and then; how well the pace is kept is told on a clock of the tests' own
  // (test/unit/gladly/quota.test.ts and quota-rivals.test.ts). Without pacing there are 200 calls a second, nearly all of them refused.
  for (const run of runs) {
    expect(run.refused).toBeLessThanOrEqual(1);
    expect(run.perSecond).toBeGreaterThanOrEqual(5);
    expect(run.perSecond).toBeLessThanOrEqual(7.6);
  }
  // Without an eye for the rival, 7 of ours and 5 of theirs a second: 13 refused of these, and none of ours left out.
  for (const run of shared) {
    expect(run.theirs).toBeGreaterThan(15);
    expect(run.ours).toBeGreaterThan(6);
    expect(run.ours).toBeLessThan(6.5 * 6);
    expect(run.refused).toBeLessThanOrEqual(4);
  }
});
