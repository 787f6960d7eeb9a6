import { expect, it } from 'vitest';
import { problem } from '../../../src/contracts/problems.ts';
import { problemOf } from '../../../src/tenants/read-model.ts';

const stalled = problem('events_stalled', { minutes: 3 });
const failing = problem('conversations_failing', { count: 1, reason: 'gladly_server_error', ids: 'c1' });

it.each([
  ['a standstill of all events', [failing, stalled], stalled],
  ['a queue that is not there before it', [stalled, problem('queue_missing')], problem('queue_missing')],
  ['nothing, when single conversations fail and others go on', [failing], null],
])('the problem of a tenant that extracts is %s', (_, findings, expected) => {
  expect(problemOf({ extraction: null, findings })).toEqual(expected);
});
