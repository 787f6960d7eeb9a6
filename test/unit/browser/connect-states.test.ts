import { describe, expect, it } from 'vitest';
import { statesOf } from '../../../src/api/connect/states.ts';
import {
  type OnboardingStatus,
  STEPS,
  type StepName,
  type StepStatus,
  type WebhookSetup,
} from '../../../src/contracts/onboarding.ts';
import { problem } from '../../../src/contracts/problems.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** All before `step` is done, it is as given, and all after it waits. */
function at(name: StepName, given: Partial<StepStatus>, webhookSetup: WebhookSetup = 'by_hand'): OnboardingStatus {
  const place = STEPS.indexOf(name);
  const steps = STEPS.map((step, i): StepStatus => {
    const before = i < place;
    const rest = { since: AT, stuckSince: null, problem: null, furtherProblems: [], notices: [], evidence: [] };
    const common = { name: step, state: before ? ('done' as const) : ('waiting' as const), attempts: before ? 1 : 0 };
    return { ...rest, ...common, reminder: null, nextTryAt: null, ...(i === place ? given : {}) };
  });
  const credentialsVersion = name === 'provision' || name === 'credentials' ? 0 : 1;
  const rest = { state: 'in_progress' as const, since: AT, problem: null, cancel: null, unknownSignals: 0 };
  return { ...rest, step: name, steps, credentialsVersion, webhookSetup };
}

const missing = problem('webhook_missing', { url: 'https://app.example/x' });

describe('how the three steps stand', () => {
  it.each<[string, OnboardingStatus, string]>([
    [
      'before anything was entered',
      at('credentials', { state: 'needs_you', problem: problem('credentials_missing') }),
      'todo todo later',
    ],
    ['while the domain is looked for', at('domain', { state: 'checking' }), 'checking checking later'],
    [
      'in an outage',
      at('domain', { state: 'retrying', attempts: 3, problem: problem('gladly_server_error', { status: 503 }) }),
      'checking checking later',
    ],
    [
      'with a wrong token',
      at('token', { state: 'needs_you', problem: problem('token_rejected', { domain: 'a' }) }),
      'todo needs_you later',
    ],
    [
      'without a role',
      at('roles', { state: 'needs_you', problem: problem('agent_role_missing') }),
      'needs_you needs_you later',
    ],
    ['at the first look for a webhook', at('webhook', { state: 'checking' }), 'done done todo'],
    [
      'when nobody has made it yet',
      at('webhook', { state: 'needs_you', attempts: 1, problem: missing }),
      'done done todo',
    ],
    [
      'when it is looked for because somebody said so',
      at('webhook', { state: 'checking', attempts: 1, problem: missing }),
      'done done checking',
    ],
    [
      'when it was said to be there and is not',
      at('webhook', { state: 'needs_you', attempts: 2, problem: missing }),
      'done done needs_you',
    ],
    ['while we create it', at('webhook', { state: 'checking' }, 'create_for_me'), 'done done checking'],
    [
      'when the test call is missing',
      at('proof', { state: 'needs_you', attempts: 1, problem: problem('webhook_ping_missing') }),
      'done done needs_you',
    ],
  ])('%s', (_, onboarding, expected) => {
    const { user, credentials, webhook } = statesOf(onboarding);
    expect(`${user} ${credentials} ${webhook}`).toBe(expected);
  });
});
