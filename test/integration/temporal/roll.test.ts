/** A release and its way back, under workflows that run: docs/decisions/0011-changed-code.md. */
import type { WorkflowHandle } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  archiveSignal,
  type ExtractionActivities,
  extractionStatusQuery,
  renewSignal,
  wakeSignal,
} from '../../../src/contracts/extraction.ts';
import { onboardingStatusQuery, recheckSignal } from '../../../src/contracts/onboarding.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import { PARKED } from '../../support/extraction.ts';
import { bundleWith, type Edit } from '../../support/next-release.ts';
import { emit, extracted, GOES_ON_MS, isWedged, startDeployedWorld } from '../../support/onboarding/deployed.ts';
import { type Operated, operated, sweepOnce } from '../../support/onboarding/operated.ts';
import { createTenant, credentialsOf } from '../../support/onboarding/tenant.ts';
import { workflowBundle } from '../../support/temporal.ts';

/**
 * What the next release may do: carry a field and a count more, and take a step more, behind a patch. The step is on one way only, so that runs
 * without the patch's marker are there too.
 */
const NEXT: readonly Edit[] = [
  [
    'extraction/reducer.ts',
    '    lookAgainMs: null,\n    totals',
    '    lookAgainMs: null,\n    lastEnd: null,\n    totals',
  ],
  [
    'extraction/reducer.ts',
    'return { ...afterDrain(state, event.result, at), draining: null }',
    'return { ...afterDrain(state, event.result, at), draining: null, lastEnd: event.result.end.kind }',
  ],
  ['extraction/reducer.ts', 'rejected: 0, calls: 0 }', 'rejected: 0, calls: 0, ignored: 0 }'],
  [
    'extraction/reducer.ts',
    'calls: a.calls + b.calls,',
    'calls: a.calls + b.calls, ignored: a.ignored + (b.ignored ?? 0),',
  ],
  ['extraction/workflow.ts', '  condition,\n', '  condition,\n  patched,\n'],
  [
    'extraction/workflow.ts',
    "    on({ type: 'drainStarted', mode });",
    `    if (mode === 'take_in_only' && patched('weigh-first'))
      await proxyActivities({ startToCloseTimeout: '10 seconds' }).weigh({ tenantId: input.tenantId });
    on({ type: 'drainStarted', mode });`,
  ],
  ['onboarding/reducer.ts', '    renewKey: false,\n', '    renewKey: false,\n    tries: 0,\n'],
  [
    'onboarding/reducer.ts',
    'return begun({ ...state, look: false }, event.step, at);',
    'return begun({ ...state, look: false, tries: state.tries + 1 }, event.step, at);',
  ],
];

/** In whose way the next release finds a problem that this one does not know. */
const found = new Set<string>();

/** The next release's drains count something more. */
const later = ({ drain }: ExtractionActivities) => ({
  weigh: async () => undefined,
  drain: async (input: Parameters<typeof drain>[0]) => {
    if (found.has(input.tenantId))
      return { ...PARKED, end: { kind: 'needs_attention', problem: { code: 'plan_too_small', params: {} } } };
    const result = await drain(input);
    return { ...result, counts: { ...result.counts, ignored: 1 } };
  },
});

const start = async () => {
  const [own, next] = await Promise.all([workflowBundle(), bundleWith(NEXT)]);
  return await startDeployedWorld({ this: { workflows: own }, next: { workflows: next, later } }, 7);
};
let it: Awaited<ReturnType<typeof start>>;
// Bundles, seconds each.
beforeAll(async () => {
  it = await start();
}, 120_000);
afterAll(() => it?.close());

const carriedInput = z.object({ carried: z.looseObject({ totals: z.looseObject({}).optional() }) });

/** Has it continue as new, and gives what was carried into the new run. */
async function renew(handle: WorkflowHandle) {
  const { runId } = await handle.describe();
  await handle.signal(renewSignal);
  await expect.poll(async () => (await handle.describe()).runId, { timeout: 10_000 }).not.toBe(runId);
  const { events } = await handle.fetchHistory();
  const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input] = await decodeArrayFromPayloads(it.client.options.loadedDataConverter, payloads);
  return carriedInput.parse(input).carried;
}

/** The code that is deployed fits the history of each, and each does as it is told. */
async function areWell(tenants: readonly Operated[]): Promise<void> {
  const workflows = new TenantWorkflows(it.client);
  for (const { onboarding, extraction, id } of tenants) {
    await onboarding.query(onboardingStatusQuery);
    await onboarding.signal(recheckSignal);
    if ((await workflows.examine(extraction.workflowId)).state !== 'ended') {
      await extraction.query(extractionStatusQuery);
      await extraction.signal(wakeSignal);
      expect([id, await workflows.examine(extraction.workflowId)]).toEqual([id, { state: 'well' }]);
    }
    expect([id, await workflows.examine(onboarding.workflowId)]).toEqual([id, { state: 'well' }]);
  }
}

test('a release and its way back: whoever runs, waits, is paused or needs attention is as before, and what cannot go back is named', async () => {
  const { world, client, deploy, connect, organization } = it;
  await deploy('this');
  const [running, parked, paused, archived, refused, small] = await connect(6);
  if (!running || !parked || !paused || !archived || !refused || !small) throw new Error('There are too few tenants.');
  const stuckGladly = organization();
  const stuckTenant = await createTenant(world, { webhookSetup: 'create_for_me' });
  const stuck = operated(world, client, stuckTenant, stuckGladly);
  await stuckTenant.give({ ...credentialsOf(stuckGladly), apiToken: 'wrong' });
  await refused.gladly.fault({ path: '/api/v1/**', status: 401 });
  await emit(refused, 1);
  const [{ extraction: asPaused }, , { extraction: asRefused }, asStuck] = await Promise.all([
    paused.pause(),
    archived.pause(),
    refused.until('needs attention', ({ extraction }) => extraction?.state === 'needs_attention'),
    stuck.until('needs you', ({ problem }) => problem === 'token_rejected'),
    parked.until('parked', ({ extraction }) => extraction?.state === 'parked'),
  ]);
  await Promise.all([emit(paused, 3), emit(archived, 3)]);
  await running.gladly.fault({ method: 'GET', delayMs: 300 });
  await emit(running, 30);
  await running.until('at it', ({ events, extraction }) => events.extracted > 0 && extraction?.state === 'running');
  found.add(small.id);
  const others = [running, parked, paused, refused, stuck, small];

  const asBefore = async () => {
    expect((await paused.look()).extraction).toMatchObject({ state: 'paused', pause: asPaused?.pause });
    expect((await archived.look()).extraction?.pause).not.toBeNull();
    expect((await refused.look()).extraction).toMatchObject({
      state: 'needs_attention',
      problem: { code: asRefused?.problem?.code, since: asRefused?.problem?.['since'] },
    });
    const { problem, onboarding } = await stuck.look();
    expect(problem).toBe('token_rejected');
    expect(onboarding?.steps.map(({ stuckSince }) => stuckSince)).toEqual(
      asStuck.onboarding?.steps.map(({ stuckSince }) => stuckSince),
    );
  };

  await deploy('next');
  await areWell([...others, archived]);
  await asBefore();
  await Promise.all([emit(parked, 2), emit(small, 1)]);
  await Promise.all([extracted(parked, 2), extracted(running, 30)]);
  await small.until('needs attention', ({ problem }) => problem === 'plan_too_small');
  // Some begin a new history, and carry what the release before does not know; the parked one goes on in its old one.
  await expect.poll(async () => (await running.extraction.query(extractionStatusQuery)).phase).toBe('parked');
  const { lastEnd, totals } = await renew(running.extraction);
  expect({ lastEnd, totals }).toMatchObject({ lastEnd: 'parked', totals: { extracted: 30 } });
  expect(totals?.['ignored']).toBeGreaterThan(0);
  expect(await renew(paused.extraction)).toMatchObject({ pause: asPaused?.pause });
  expect(await renew(refused.extraction)).toMatchObject({ problem: { code: asRefused?.problem?.code } });
  expect(await renew(running.onboarding)).toMatchObject({ state: 'done' });
  const { tries } = await renew(stuck.onboarding);
  expect(tries).toBeGreaterThan(0);
  await archived.extraction.signal(archiveSignal);
  await archived.until('archived', ({ events }) => events.waiting === 3 && events.inQueue === 0);
  await asBefore();

  await deploy('this');
  await archived.extraction.signal(wakeSignal);
  await areWell(others);
  await asBefore();
  expect(await small.look()).toMatchObject({ state: 'needs_attention', problem: 'plan_too_small' });
  await world.api('POST', `${small.path}/recheck`);
  await Promise.all([emit(parked, 2), emit(running, 2)]);
  await Promise.all([extracted(parked, 4), extracted(running, 32), extracted(small, 1)]);
  expect(await renew(running.extraction)).toMatchObject({
    lastEnd,
    totals: { extracted: 32, ignored: totals?.['ignored'] },
  });
  expect(await renew(stuck.onboarding)).toMatchObject({ tries });
  expect(await renew(parked.extraction)).toMatchObject({ totals: { extracted: 4 } });
  await world.api('POST', `${paused.path}/resume`);
  await extracted(paused, 3);
  await refused.gladly.clearFaults();
  await world.api('POST', `${refused.path}/recheck`);
  await refused.until('mended', ({ extraction, events }) => extraction?.problem === null && events.extracted === 1);
  // The one that has the marker of the patch in its history cannot go back.
  await isWedged(archived);
  await sweepOnce(world, client);
  expect(await archived.look()).toMatchObject({
    problem: 'workflow_wedged',
    findings: [{ code: 'workflow_wedged', sentence: expect.stringMatching(/extraction.*TMPRL1100.*weigh-first/s) }],
    extraction: { pause: { reason: 'they asked' } },
    events: { waiting: 3 },
  });
  for (const { look } of others) expect((await look()).findings).toEqual([]);

  await deploy('next');
  await areWell(others);
  expect(await renew(running.extraction)).toMatchObject({ lastEnd: expect.any(String), totals: { extracted: 32 } });
  await stuckTenant.give(credentialsOf(stuckGladly));
  await stuck.until('connected', ({ onboarding, extraction }) => onboarding?.state === 'done' && extraction !== null);
  await world.api('POST', `${archived.path}/resume`);
  await extracted(archived, 3, GOES_ON_MS);
  await sweepOnce(world, client);
  expect(await archived.look()).toMatchObject({ problem: null, findings: [] });
}, 120_000);
