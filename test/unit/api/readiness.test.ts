import { expect, it } from 'vitest';
import { Readiness, type ReadinessSpec } from '../../../src/api/http/readiness.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const well = () => Promise.resolve();
const hangs = () => new Promise(() => undefined);
const out = (code: string) => () => Promise.reject(Object.assign(new Error('password of the database'), { code }));
const NEEDS = [['keys'], ['queue', 'database']];

function readinessOf(spec: Partial<ReadinessSpec>) {
  const clock = new FakeClock();
  const log: string[] = [];
  const note = (_: object, message: string): void => void log.push(message);
  const readiness = new Readiness(
    { own: { keys: () => null }, remote: { queue: well, database: well, temporal: well }, needs: NEEDS, ...spec },
    { info: note, warn: note },
    clock,
  );
  return { readiness, clock, log };
}

it('is ready when all is well, and degraded while something is out that is not needed', async () => {
  const { readiness } = readinessOf({});
  expect(await readiness.look()).toEqual({
    status: 'ready',
    parts: { queue: 'ok', database: 'ok', temporal: 'ok', keys: 'ok' },
    reasons: {},
  });
  const degraded = readinessOf({ remote: { queue: out('ECONNREFUSED'), database: well, temporal: out('x y') } });
  expect(await degraded.readiness.look()).toEqual({
    status: 'degraded',
    parts: { queue: 'unreachable', database: 'ok', temporal: 'unreachable', keys: 'ok' },
    // What is no plain word may be anything.
    reasons: { queue: 'ECONNREFUSED', temporal: 'unknown' },
  });
});

it.each<[string, Partial<ReadinessSpec>, ReadinessSpec['needs']]>([
  ['all of a group are out', { remote: { queue: out('A'), database: out('B') } }, NEEDS],
  ['something of its own is missing', { own: { keys: () => 'not_loaded' } }, NEEDS],
  [
    'a part breaks before it asks',
    {
      remote: {
        queue: () => {
          throw new Error('no channel');
        },
      },
    },
    [['queue']],
  ],
])('is not ready when %s', async (_, spec, needs) => {
  expect(await readinessOf({ ...spec, needs }).readiness.look()).toMatchObject({ status: 'not_ready' });
});

it('asks a part once a second at most, however many ask, and what is its own each time', async () => {
  let asked = 0;
  let keys: string | null = null;
  const { readiness, clock } = readinessOf({
    own: { keys: () => keys },
    remote: {
      queue: async () => {
        asked += 1;
      },
    },
  });
  await Promise.all([readiness.look(), readiness.look()]);
  await readiness.look();
  expect(asked).toBe(1);
  keys = 'not_loaded';
  expect(await readiness.look()).toMatchObject({ status: 'not_ready', reasons: { keys: 'not_loaded' } });
  await clock.advance(1_000);
  await readiness.look();
  expect(asked).toBe(2);
});

it('answers within 0.7 s though a part hangs, and believes it to be out after 2 s', async () => {
  let check: () => Promise<unknown> = well;
  const { readiness, clock, log } = readinessOf({ remote: { queue: () => check(), database: well } });
  const lookAfter = async (ms: number) => {
    const look = readiness.look();
    await clock.advance(ms);
    return (await look).parts['queue'];
  };
  expect(await lookAfter(0)).toBe('ok');
  await clock.advance(1_000);
  check = hangs;
  // A moment without an answer may be a busy machine.
  expect(await lookAfter(700)).toBe('ok');
  expect(await lookAfter(700)).toBe('ok');
  expect(await lookAfter(700)).toBe('unreachable');
  check = well;
  await clock.advance(1_000);
  expect(await lookAfter(0)).toBe('ok');
  expect(log).toEqual(['queue: does not answer (no_answer)', 'queue: answers again']);
});

it('tells the reason that comes late, and nothing breaks of it', async () => {
  const refuse = Promise.withResolvers<never>();
  const { readiness, clock } = readinessOf({ remote: { queue: () => refuse.promise, database: well } });
  const look = readiness.look();
  await clock.advance(700);
  expect(await look).toMatchObject({ status: 'degraded', reasons: { queue: 'no_answer' } });
  await clock.advance(1_400);
  refuse.reject(Object.assign(new Error('x'), { name: 'CredentialsProviderError' }));
  await clock.settle();
  expect(await readiness.look()).toMatchObject({ reasons: { queue: 'CredentialsProviderError' } });
});
