import { describe, expect, test } from 'vitest';
import type { ExtractionView, ShownPhase } from '../../../src/contracts/extraction.ts';
import { type OnboardingStatus, STEPS, type StepName } from '../../../src/contracts/onboarding.ts';
import { type Problem, problem } from '../../../src/contracts/problems.ts';
import type { Tenant } from '../../../src/store/tenants.ts';
import { GROUPS, placeOf, standingOf } from '../../../src/tenants/standing.ts';
import { untried } from '../../../src/workflows/onboarding/steps.ts';

const SINCE = '2026-01-01T10:00:00.000Z';
const tenant: Tenant = {
  incarnation: '',
  tenantId: 'acme',
  name: 'Acme',
  createdAt: new Date('2026-01-01T00:00:00Z'),
  state: 'connected',
  disconnectedAt: null,
  retentionDays: 4,
  retentionPolicy: 'extend',
  retentionAlert: 0,
  retentionAlertTold: 0,
  queueUrl: null,
  deadLetterQueueUrl: null,
  host: null,
  organization: null,
  webhookSetup: 'by_hand',
  webhookId: null,
  credentialsVersion: 1,
  adoptedCredentialsVersion: 1,
  connectLinkEpoch: 1,
  connectLinkChangesUntil: null,
  disconnectAsked: null,
};
const TIMEOUT = problem('gladly_timeout', { host: 'acme.gladly.com', seconds: 15 } as never);
const REJECTED = problem('token_rejected', {} as never);
const WAITING = problem('events_waiting', { count: 3 });

const extracting = (phase: ShownPhase, more: Partial<ExtractionView> = {}): ExtractionView => ({
  phase,
  since: SINCE,
  pause: null,
  disconnect: null,
  problem: null,
  warning: null,
  nextTryAt: null,
  unknownSignals: 0,
  lastUnknownSignal: null,
  ...more,
});

const settingUp = (
  step: StepName,
  found: Problem | null = null,
  state: OnboardingStatus['state'] = 'in_progress',
): OnboardingStatus => ({
  state,
  since: SINCE,
  step,
  steps: STEPS.map((name) => ({ ...untried(name, SINCE), ...(name === step ? { problem: found } : {}) })),
  credentialsVersion: 1,
  webhookSetup: 'by_hand',
  problem: state === 'cancelling' ? found : null,
  cancel: null,
  unknownSignals: 0,
});

const stand = (
  onboarding: OnboardingStatus | null,
  extraction: ExtractionView | null,
  more: Partial<Pick<Tenant, 'state' | 'retentionAlert'>> = {},
  keyRefusedAt: Date | null = null,
  findings: readonly Problem[] = [],
) => standingOf({ tenant: { ...tenant, ...more }, onboarding, extraction, findings, keyRefusedAt });

describe('how a tenant stands', () => {
  test.each([
    ['running', null, 'running', 'Running'],
    ['pausing', null, 'paused', 'Pausing'],
    ['paused', null, 'paused', 'Paused'],
    ['waiting_for_gladly', TIMEOUT, 'running', 'Waiting for Gladly'],
    ['needs_attention', REJECTED, 'attention', 'Needs attention'],
  ] as const)('an extraction that is %s: %s', (phase, found, group, label) => {
    const standing = stand(null, extracting(phase, { problem: found }));
    expect(standing).toMatchObject({ group, label, problem: found, since: SINCE });
  });

  test.each([
    ['credentials', problem('credentials_missing'), 'customer'],
    ['domain', TIMEOUT, 'connecting'],
    ['domain', problem('credentials_unreadable'), 'attention'],
    ['domain', { code: 'a_code_of_a_newer_version', params: {} } as unknown as Problem, 'attention'],
    ['domain', null, 'connecting'],
  ] as const)('a set-up at %s: %s', (step, found, group) => {
    expect(stand(settingUp(step, found), null, { state: 'connecting' }).group).toBe(group);
  });

  test('a set-up that has not been heard of yet is starting', () => {
    expect(stand(null, null, { state: 'connecting' })).toMatchObject({ group: 'connecting', label: 'Starting' });
  });

  test.each(['running', 'paused', 'disconnected'] as const)('being disconnected counts more than %s', (phase) => {
    const taking = stand(settingUp('domain', null, 'cancelling'), extracting(phase));
    expect(taking).toMatchObject({ group: 'connecting', label: 'Disconnecting' });
    const asking = stand(settingUp('domain', WAITING, 'cancelling'), extracting(phase));
    expect(asking).toMatchObject({ group: 'attention', label: 'Disconnecting', problem: WAITING });
  });

  test('an extraction that has ended hides no set-up that begins anew', () => {
    const standing = stand(settingUp('credentials', problem('credentials_missing')), extracting('disconnected'));
    expect(standing).toMatchObject({ group: 'customer', label: 'Waits for the customer' });
  });

  test('events that are about to be lost need a person, whatever the state', () => {
    const paused = extracting('paused');
    expect(stand(null, paused, { retentionAlert: 50 }).group).toBe('paused');
    expect(stand(null, paused, { retentionAlert: 80 })).toMatchObject({
      group: 'attention',
      label: 'Paused',
      tone: 'bad',
    });
  });

  test('new credentials that do not work are seen, and hide nothing worse', () => {
    const wrong = settingUp('token', REJECTED);
    expect(stand(wrong, extracting('running'))).toMatchObject({ group: 'customer', from: 'onboarding' });
    expect(stand(wrong, extracting('paused')).group).toBe('paused');
    expect(stand(settingUp('token'), extracting('running')).group).toBe('running');
  });

  test('what the sweep found is told where nothing else is in the way, and what would be lost is put first', () => {
    const missing = problem('queue_missing');
    const dead = problem('dead_letters_waiting', { count: 2 });
    const rejected = problem('events_rejected', { count: 3 });
    for (const found of [missing, dead]) {
      const standing = stand(settingUp('webhook'), null, {}, null, [found]);
      expect(standing).toMatchObject({ group: 'attention', tone: 'bad', problem: found });
      expect(stand(null, extracting('running'), {}, null, [found])).toMatchObject({
        group: 'attention',
        problem: found,
      });
      expect(stand(null, null, {}, null, [found])).toMatchObject({ group: 'attention', problem: found });
    }
    expect(stand(null, extracting('paused'), {}, null, [rejected])).toMatchObject({
      group: 'paused',
      problem: rejected,
    });
    expect(stand(null, extracting('running'), {}, null, [dead, rejected, missing]).problem).toBe(missing);
    const stopped = extracting('needs_attention', { problem: REJECTED });
    expect(stand(null, stopped, {}, null, [missing]).problem).toBe(REJECTED);
    expect(stand(settingUp('webhook', null, 'cancelling'), null, {}, null, [missing]).label).toBe('Disconnecting');
    expect(stand(null, extracting('running'), { state: 'disconnected' }, null, [missing]).problem).toBeNull();
  });

  test.each(['running', 'paused', 'waiting_for_gladly'] as const)(
    'a refused webhook key needs a person while %s',
    (phase) => {
      const at = new Date(SINCE);
      const standing = stand(null, extracting(phase), {}, at);
      expect(standing).toMatchObject({ group: 'attention', tone: 'bad', problem: { code: 'webhook_key_refused' } });
      // What else is wrong is said as before.
      expect(stand(null, extracting(phase, { problem: REJECTED }), {}, at).problem).toEqual(REJECTED);
      expect(stand(null, extracting(phase), { state: 'disconnected' }, at).group).toBe('ended');
    },
  );

  test('a wrong key while being connected is a matter of the set-up', () => {
    expect(stand(settingUp('proof'), null, { state: 'connecting' }, new Date()).problem).toBeNull();
  });

  test('one that is over is over', () => {
    expect(stand(settingUp('domain'), extracting('running'), { state: 'disconnected' }).group).toBe('ended');
    expect(stand(null, null, { state: 'cancelled' }).label).toBe('Cancelled');
  });
});

describe('a workflow that stands still', () => {
  test('is told whatever the workflows wrote last', () => {
    const stuck = { ...problem('workflow_wedged', { workflow: 'extraction', reason: 'x' }), since: SINCE };
    for (const onboarding of [null, settingUp('token', null, 'cancelling')])
      expect(stand(onboarding, extracting('running'), {}, null, [stuck])).toMatchObject({
        group: 'attention',
        label: 'Stands still',
        problem: stuck,
        since: SINCE,
      });
  });
});

describe('the place in the list', () => {
  const place = (extraction: ExtractionView, retentionAlert = 0) =>
    placeOf({
      tenant: { ...tenant, retentionAlert },
      onboarding: null,
      onboardingAt: null,
      onboardingTuning: null,
      extraction,
      extractionAt: null,
      extractionTuning: null,
      findings: [],
      keyRefusedAt: null,
      queueEmptyAt: new Date('2026-01-02T00:00:00Z'),
    });

  test('of what is stopped follows when its first event would be lost', () => {
    const losesAt = new Date('2026-01-06T00:00:00Z');
    expect(place(extracting('paused'), 50)).toEqual({ need: GROUPS.indexOf('paused'), urgency: 50, losesAt });
  });

  test('of what runs loses nothing', () => {
    expect(place(extracting('running'))).toEqual({ need: GROUPS.indexOf('running'), urgency: 0, losesAt: null });
  });
});
