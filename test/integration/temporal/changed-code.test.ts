/** What no release may do, and what it costs: docs/decisions/0011-changed-code.md. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wakeSignal } from '../../../src/contracts/extraction.ts';
import { bundleWith } from '../../support/next-release.ts';
import { emit, extracted, GOES_ON_MS, isWedged, startDeployedWorld } from '../../support/onboarding/deployed.ts';
import { sweepOnce } from '../../support/onboarding/operated.ts';
import { workflowBundle } from '../../support/temporal.ts';

const start = async () => {
  const drain = "    on({ type: 'drainStarted', mode });";
  const [right, wrong] = await Promise.all([
    workflowBundle(),
    // A timer more, on a way that running workflows have gone.
    bundleWith([['extraction/workflow.ts', drain, `    await condition(() => false, 10);\n${drain}`]]),
  ]);
  return await startDeployedWorld({ right: { workflows: right }, wrong: { workflows: wrong } }, 2);
};
let it: Awaited<ReturnType<typeof start>>;
// Bundles, seconds each.
beforeAll(async () => {
  it = await start();
}, 120_000);
afterAll(() => it?.close());

test('code that was changed without a patch: the tenants that it hits are named, and all goes on when it is taken back', async () => {
  const { world, client, deploy, connect } = it;
  await deploy('right');
  const [hit, begunAnew] = await connect(2);
  if (!hit || !begunAnew) throw new Error('There are too few tenants.');
  const { extraction } = await begunAnew.pause();
  await hit.until('parked', (now) => now.extraction?.state === 'parked');

  await deploy('wrong');
  await Promise.all([emit(hit, 2), emit(begunAnew, 2), begunAnew.extraction.signal(wakeSignal)]);
  await Promise.all([isWedged(hit), isWedged(begunAnew)]);
  await sweepOnce(world, client);
  for (const tenant of [hit, begunAnew])
    expect(await tenant.look()).toMatchObject({
      problem: 'workflow_wedged',
      findings: [{ code: 'workflow_wedged', sentence: expect.stringMatching(/extraction.*TMPRL1100/s) }],
      events: { inQueue: 2 },
    });
  // Temporal counts its tries anew with each signal: it still stands still.
  await hit.extraction.signal(wakeSignal);
  await sweepOnce(world, client);
  expect(await hit.look()).toMatchObject({ problem: 'workflow_wedged', findings: [{ code: 'workflow_wedged' }] });
  // Where the code cannot be taken back: begun anew, it knows from the store that it is paused.
  await begunAnew.extraction.terminate('its history does not fit');
  await sweepOnce(world, client);
  await begunAnew.until('begun anew', (now) => now.extraction?.state === 'paused' && now.findings.length === 0);
  expect((await begunAnew.look()).extraction?.pause).toEqual(extraction?.pause);
  await world.api('POST', `${begunAnew.path}/resume`);
  await extracted(begunAnew, 2);

  await deploy('right');
  await extracted(hit, 2, GOES_ON_MS);
  await sweepOnce(world, client);
  expect(await hit.look()).toMatchObject({ problem: null, findings: [] });
}, 120_000);
