import { expect, it } from 'vitest';
import type { OnboardingDeps } from '../../../src/activities/onboarding/deps.ts';
import { startExtraction } from '../../../src/activities/onboarding/start-extraction.ts';
import type { ExtractionInput, ExtractionView } from '../../../src/contracts/extraction.ts';
import { changeTenant, recordExtraction } from '../../../src/tenants/projection.ts';
import { extractionInput } from '../../support/extraction.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const AT = '2026-01-01T00:00:00.000Z';
const PAUSE = { by: 'ann', reason: 'they asked', at: AT };
const ASKED = { by: 'bob', reason: 'to start paused' };

describeStore('the step that starts extraction', (store) => {
  /** What extraction is started with when the last one left off like this. */
  async function startedAfter(state: 'connecting' | 'connected', last: Partial<ExtractionView> | null) {
    const tenantId = await store.tenant();
    await changeTenant(store.db, tenantId, { state });
    const nothing = { problem: null, warning: null, nextTryAt: null, unknownSignals: 0, lastUnknownSignal: null };
    const view: ExtractionView = { phase: 'paused', since: AT, pause: PAUSE, disconnect: null, ...nothing, ...last };
    if (last !== null) await recordExtraction(store.db, { tenantId, runId: 'r', seq: 1, view, tuning: {} });
    const started: ExtractionInput[] = [];
    const workflows = { startExtraction: async (input: ExtractionInput) => void started.push(input) };
    const step = startExtraction({ db: store.db, workflows, now: () => new Date() } as unknown as OnboardingDeps);
    const { tuning } = extractionInput(tenantId);
    expect(await step({ tenantId, credentialsVersion: 1, pause: ASKED, tuning })).toMatchObject({ kind: 'done' });
    return started[0]?.pause;
  }

  it('starts the first one as it was asked for', async () => {
    expect(await startedAfter('connecting', null)).toEqual(ASKED);
  });

  it('keeps a pause, and the end of one', async () => {
    expect(await startedAfter('connected', {})).toEqual(PAUSE);
    expect(await startedAfter('connected', { phase: 'running', pause: null })).toBeUndefined();
  });

  it('keeps a pause over a disconnect that was called off, and not over one that was carried out', async () => {
    expect(await startedAfter('connected', { phase: 'disconnected' })).toEqual(PAUSE);
    expect(await startedAfter('connecting', { phase: 'disconnected' })).toEqual(ASKED);
  });
});
