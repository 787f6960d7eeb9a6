import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, stepIn } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const TRIES = 3;

describe('a healthy organization', { timeout: 120_000 }, () => {
  let organizations: readonly TestGladly[] = [];
  let world: World;

  beforeAll(async () => {
    organizations = await Promise.all(Array.from({ length: TRIES }, () => startGladly()));
    world = await startWorld({ gladlyHosts: organizations.map((it) => it.host) });
  });
  afterAll(async () => {
    await world?.close();
    for (const gladly of organizations) await gladly.close();
  });

  /** Milliseconds from the credentials to done. */
  async function connect(gladly: TestGladly): Promise<number> {
    const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.until((it) => it.onboarding.step === 'credentials');
    const began = performance.now();
    // As it is copied from a browser.
    await tenant.give({ ...credentialsOf(gladly), domain: `HTTP://${gladly.host}/conversations?open=1` });
    // Extraction is heard of a moment after the set-up that has started it.
    const status = await tenant.until((it) => it.onboarding.state === 'done' && it.extraction !== null);
    const took = performance.now() - began;
    const { evidence } = stepIn(status, 'proof');
    expect(evidence.find((it) => it.asked === 'PING')?.answered).toMatch(/^first seen at /);
    expect(await gladly.webhooks()).toHaveLength(1);
    return took;
  }

  it('goes from credentials to done in seconds, the PING included', async () => {
    const took: number[] = [];
    // On a machine that has other things to do, the best of three says what we take.
    for (const gladly of organizations) {
      took.push(await connect(gladly));
      if (Math.min(...took) < 5_000) break;
    }
    // A wait for a clock instead of for the thing itself would show: the shortest is 15 s.
    expect(Math.min(...took)).toBeLessThan(15_000);
  });
});
