import { expect, test } from 'vitest';
import { eventFacts } from '../../../src/gladly/event-facts.ts';

const of = (type: string, content: object = {}) =>
  eventFacts(Buffer.from(JSON.stringify({ id: 'e', type, timestamp: '2026-01-05T09:00:00Z', content })));

test.each([
  ['about a conversation', of('CONVERSATION/CLOSED', { conversationId: 'c' }), 'waiting', null],
  ['known, and about something else', of('TASK/CREATED'), 'ignored', 'not_about_a_conversation'],
  ['of an unknown kind, with a conversation', of('NEW/KIND', { conversationId: 'c' }), 'waiting', null],
  ['of an unknown kind, without one', of('NEW/KIND'), 'rejected', 'unknown_type'],
  ['about a conversation that it does not name', of('CONVERSATION/CLOSED'), 'rejected', 'not_an_event'],
  ['no JSON', eventFacts(Buffer.from('no json')), 'rejected', 'not_json'],
])('an event %s', (_, facts, state, reason) => {
  expect(facts).toMatchObject({ state, reason });
});
