import { describe, expect, it } from 'vitest';
import { findWebhook } from '../../../src/activities/onboarding/webhook/find.ts';
import { wantedWebhook } from '../../../src/activities/onboarding/webhook/wanted.ts';

const OURS = wantedWebhook('https://app.example', 'acme');
const OTHERS = wantedWebhook('https://app.example', 'demo');

describe('our webhook among those of an organization', () => {
  it('is not the one that we created for another tenant of the same organization', () => {
    expect(findWebhook([{ id: 'w1', ...OTHERS }], OURS)).toEqual({ kind: 'none' });
  });

  it('is one that a person made with the address of another tenant: it was copied from the wrong page', () => {
    const copied = { id: 'w1', name: 'Analytics', url: OTHERS.url };
    expect(findWebhook([copied], OURS)).toMatchObject({ kind: 'elsewhere', shown: OTHERS.url });
  });
});
