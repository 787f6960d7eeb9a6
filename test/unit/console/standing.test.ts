import { describe, expect, test } from 'vitest';
import { byNeed, type Sortable, standingOf } from '../../../src/tenants/standing.ts';
import type { WorkflowRecord } from '../../../src/tenants/workflow-records.ts';

const connected = { state: 'connected', retentionAlert: 0 } as const;
const connecting = { state: 'connecting', retentionAlert: 0 } as const;
const at = (state: string, problem: string | null = null): WorkflowRecord => ({ state, problem, pausedSince: null });

describe('how a tenant stands', () => {
  test.each([
    ['running', null, 'running', 'Running'],
    ['parked', null, 'running', 'Running'],
    ['pausing', null, 'paused', 'Pausing'],
    ['paused', null, 'paused', 'Paused'],
    ['waiting_for_gladly', 'gladly_timeout', 'running', 'Waiting for Gladly'],
    ['needs_attention', 'token_rejected', 'attention', 'Needs attention'],
  ])('an extraction that is %s (%s): %s', (state, problem, group, label) => {
    expect(standingOf(connected, undefined, at(state, problem))).toMatchObject({ group, label, problem });
  });

  test.each([
    ['credentials', 'credentials_missing', 'customer'],
    ['domain', 'gladly_timeout', 'connecting'],
    ['domain', 'gladly_unexpected_answer', 'attention'],
    ['domain', 'a_code_of_a_newer_version', 'attention'],
    ['domain', null, 'connecting'],
    ['cancelling', 'events_waiting', 'attention'],
    ['cancelling', null, 'connecting'],
  ])('a set-up at %s with the problem %s: %s', (step, problem, group) => {
    expect(standingOf(connecting, at(step, problem), undefined).group).toBe(group);
  });

  test.each([
    ['is taking back what it made', at('cancelling'), 'connecting', 'Disconnecting'],
    ['cannot take it back without a person', at('cancelling', 'events_waiting'), 'attention', 'Disconnecting'],
    ['begins anew', at('credentials', 'credentials_missing'), 'customer', 'Waits for the customer'],
  ])('an extraction that has ended hides no set-up that %s', (_, onboarding, group, label) => {
    expect(standingOf(connected, onboarding, at('disconnected'))).toMatchObject({ group, label });
  });

  test('events that are about to be lost need a person, whatever the state', () => {
    const paused = at('paused');
    expect(standingOf({ ...connected, retentionAlert: 50 }, undefined, paused).group).toBe('paused');
    const alarming = standingOf({ ...connected, retentionAlert: 80 }, undefined, paused);
    expect(alarming).toMatchObject({ group: 'attention', label: 'Paused', tone: 'bad' });
  });

  test('new credentials that do not work are seen, and hide nothing worse', () => {
    const wrong = at('token', 'token_rejected');
    expect(standingOf(connected, wrong, at('parked'))).toMatchObject({ group: 'customer', from: 'onboarding' });
    expect(standingOf(connected, wrong, at('paused')).group).toBe('paused');
    expect(standingOf(connected, at('token'), at('parked')).group).toBe('running');
  });

  test('one that is over is over', () => {
    expect(standingOf({ ...connected, state: 'disconnected' }, at('domain'), at('running')).group).toBe('ended');
    expect(standingOf({ ...connected, state: 'cancelled' }, undefined, undefined).label).toBe('Cancelled');
  });
});

test('what needs a person first comes first, then what would be lost first', () => {
  const tenant = (tenantId: string, state: string, options: Partial<Sortable> = {}): Sortable => ({
    tenantId,
    retentionAlert: 0,
    mayLoseAt: null,
    standing: standingOf({ ...connected, retentionAlert: options.retentionAlert ?? 0 }, undefined, at(state)),
    ...options,
  });
  const day = (n: number): Date => new Date(Date.UTC(2026, 0, n));
  const sorted = [
    tenant('a-running', 'running', { mayLoseAt: day(1) }),
    tenant('b-running', 'parked'),
    tenant('c-paused-long', 'paused', { mayLoseAt: day(3) }),
    tenant('b-paused-short', 'paused', { mayLoseAt: day(9) }),
    tenant('z-stuck', 'needs_attention'),
    tenant('y-lost-tomorrow', 'paused', { retentionAlert: 95, mayLoseAt: day(2) }),
  ].sort(byNeed);
  expect(sorted.map(({ tenantId }) => tenantId)).toEqual([
    'y-lost-tomorrow',
    'z-stuck',
    'c-paused-long',
    'b-paused-short',
    'a-running',
    'b-running',
  ]);
});
