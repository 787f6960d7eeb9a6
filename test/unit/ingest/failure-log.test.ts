import { expect, test } from 'vitest';
import { FailureLog } from '../../../src/api/ingest/failure-log.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function logging() {
  const lines: object[] = [];
  const clock = new FakeClock();
  const log = new FailureLog({ info: () => undefined, warn: (fields) => void lines.push(fields) }, clock);
  return { lines, clock, log };
}

test('what SQS refuses to all is one line a minute, with the number of deliveries', async () => {
  const { lines, clock, log } = logging();
  const denied = { kind: 'denied', code: 'AccessDenied' } as const;
  for (let n = 0; n < 20; n += 1) log.note(denied, `tenant-${n}`);
  expect(lines).toEqual([{ event: 'sqs.send_failed', ...denied, deliveries: 1 }]);
  await clock.advance(60_000);
  log.note(denied, 'tenant-1');
  expect(lines.slice(1)).toEqual([{ event: 'sqs.send_failed', ...denied, deliveries: 20 }]);
});

test('what is about one queue is told with its tenant, and each code by itself', () => {
  const { lines, log } = logging();
  for (const tenantId of ['a', 'b', 'a']) log.note({ kind: 'refused', code: 'QueueDoesNotExist' }, tenantId);
  log.note({ kind: 'timeout', code: 'TimeoutError' }, 'a');
  expect(lines).toMatchObject([{ tenantId: 'a' }, { tenantId: 'b' }, { code: 'TimeoutError' }]);
  expect(lines[2]).not.toHaveProperty('tenantId');
});

test('of very many it remembers a thousand, until they are due again', async () => {
  const { lines, clock, log } = logging();
  const note = (n: number) => log.note({ kind: 'refused', code: 'QueueDoesNotExist' }, `tenant-${n}`);
  for (let n = 0; n < 1_200; n += 1) note(n);
  expect(lines).toHaveLength(1_000);
  await clock.advance(60_000);
  note(1_199);
  expect(lines).toHaveLength(1_001);
});
