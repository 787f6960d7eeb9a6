import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventFacts } from '../../../src/gladly/event-facts.ts';

const factsOf = (value: unknown) => eventFacts(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const event = (type: string, content: object = { conversationId: 'c' }) => ({
  id: 'e',
  type,
  timestamp: '2026-01-05T09:00:00Z',
  content,
});

describe('what the ledger records of a delivery', () => {
  it.each([
    'CUSTOMER_PROFILE/UPDATED',
    'AGENT_STATUS/LOGGED_IN',
    'AGENT_AVAILABILITY/UPDATED',
    'TASK/CREATED',
    'PAYMENT_REQUEST/PAID',
    'EXPORT_JOB/COMPLETED',
  ])('%s is about no conversation: ignored', (type) => {
    expect(factsOf(event(type, { jobId: 'j' }))).toMatchObject({
      eventId: 'e',
      state: 'ignored',
      reason: 'not_about_a_conversation',
      unknownType: false,
    });
  });

  it('a kind that is not known is ignored without a conversation, waits with one, and is told in both cases', () => {
    expect(factsOf(event('SOMETHING/NEW', {}))).toMatchObject({ state: 'ignored', unknownType: true });
    expect(factsOf(event('SOMETHING/NEW'))).toMatchObject({ state: 'waiting', unknownType: true });
  });

  it('one that should name its conversation and does not is rejected', () => {
    expect(factsOf(event('CONVERSATION/CLOSED', {}))).toMatchObject({ state: 'rejected', reason: 'not_an_event' });
  });

  it('without an id it is known by its body, so that a resend is the same, and another body another event', () => {
    const { id: _, ...nameless } = event('CONVERSATION/CLOSED');
    const body = JSON.stringify(nameless);
    expect(factsOf(body)).toMatchObject({
      eventId: `sha256:${hash('sha256', body)}`,
      conversationId: 'c',
      state: 'waiting',
    });
    expect(factsOf(`${body} `)?.eventId).not.toBe(factsOf(body)?.eventId);
  });

  it('without a time that can be read it waits all the same', () => {
    expect(factsOf({ ...event('CONVERSATION/CLOSED'), timestamp: 'soon' })).toMatchObject({
      eventAt: null,
      state: 'waiting',
    });
  });

  it('several in one message, which the endpoint would have taken apart, are kept', () => {
    expect(factsOf([event('CONVERSATION/CLOSED')])).toMatchObject({ state: 'rejected', reason: 'not_an_event' });
  });
});
