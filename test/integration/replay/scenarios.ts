/** What the recorded tenants go through: each with an organization of its own, so that a history holds its scenario and no more. */
import { randomBytes } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { readConfig } from '../../../src/config.ts';
import {
  archiveSignal,
  extractionStatusQuery,
  renewSignal,
  tuneExtractionSignal,
  wakeSignal,
  warnSignal,
} from '../../../src/contracts/extraction.ts';
import { recheckSignal, tuneOnboardingSignal } from '../../../src/contracts/onboarding.ts';
import { problem } from '../../../src/contracts/problems.ts';
import { SWEEP_WORKFLOW } from '../../../src/contracts/sweep.ts';
import { ONBOARDING_TASK_QUEUE } from '../../../src/contracts/tenant.ts';
import { createPayloadCodec } from '../../../src/temporal/payload-codec.ts';
import { tuningsOf } from '../../../src/tenants/tuning.ts';
import type { Edit } from '../../support/next-release.ts';
import { emit, extracted, GOES_ON_MS, type startDeployedWorld } from '../../support/onboarding/deployed.ts';
import { saveByHand } from '../../support/onboarding/faults/webhook.ts';
import { type Operated, operated, sweepOnce } from '../../support/onboarding/operated.ts';
import { createTenant, credentialsOf, stepIn } from '../../support/onboarding/tenant.ts';
import { eventually } from '../../support/onboarding/waits.ts';

/** Code that a running workflow cannot go on with: a timer more before each drain and each step. */
export const WRONG: readonly Edit[] = [
  [
    'extraction/workflow.ts',
    "on({ type: 'drainStarted', mode });",
    "await condition(() => false, 10); on({ type: 'drainStarted', mode });",
  ],
  [
    'onboarding/workflow.ts',
    "on({ type: 'stepBegun', step });",
    "await condition(() => false, 10); on({ type: 'stepBegun', step });",
  ],
];

export interface Stage {
  readonly it: Awaited<ReturnType<typeof startDeployedWorld<'this' | 'wrong'>>>;
  /** Keeps the history of the run that is open, or was last, and of those before it that it continues; each once. */
  readonly store: (scenario: string, handle: WorkflowHandle) => Promise<void>;
  /** Postgres takes no write of these tenants' extractions. */
  readonly unwritable: Set<string>;
}

type Scenario = (stage: Stage) => Promise<void>;

/** They leave each other alone, and are played at the same time. */
export const SCENARIOS: readonly Scenario[] = [turns, paused, refused, calledOff, faults, byHand, givenUp, unwritten];
/** These concern whoever is there: one after the other, when all others are through. */
export const LAST: readonly Scenario[] = [begunAnew, wedged, sweep];

async function one({ it }: Stage): Promise<Operated> {
  const [tenant] = await it.connect(1);
  if (!tenant) throw new Error('There is no tenant.');
  return tenant;
}

async function newcomer({ it }: Stage, webhookSetup: 'by_hand' | 'create_for_me') {
  const gladly = it.organization();
  const tenant = await createTenant(it.world, { webhookSetup });
  return { ...operated(it.world, it.client, tenant, gladly), tenant };
}

const tunings = ({ it }: Stage) => tuningsOf(readConfig(it.world.variables, 'api'));
const ask = ({ it }: Stage, { path }: { readonly path: string }, command: string, body?: object) =>
  it.world.api('POST', `${path}/${command}`, body);

/** Of a key that nobody has, and of a name that nobody knows. */
async function unreadable({ it }: Stage, { workflowId }: WorkflowHandle, signalName: string): Promise<void> {
  const strange = createPayloadCodec([{ id: 'strange', key: randomBytes(32).toString('base64') }]);
  const payloads = await strange.encode([
    { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{}') },
  ]);
  const workflow = { namespace: it.world.env.namespace ?? 'default', workflowExecution: { workflowId } };
  for (const name of [signalName, 'unheardOf'])
    await it.client.workflowService.signalWorkflowExecution({ ...workflow, signalName: name, input: { payloads } });
}

async function inNewRun(handle: WorkflowHandle): Promise<void> {
  const { runId } = await handle.describe();
  await handle.signal(renewSignal);
  await eventually(async () => {
    if ((await handle.describe()).runId === runId) throw new Error(`${handle.workflowId} does not begin a new run`);
  });
}

/** Paused in the middle of a drain and resumed, an outage of Gladly, parked and woken; a new history in each of these, and when one is long enough. */
async function turns(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  await stage.store('onboarding-straight', tenant.onboarding);
  await tenant.gladly.fault({ method: 'GET', delayMs: 200 });
  await emit(tenant, 30);
  await tenant.until('some', ({ events }) => events.extracted >= 3);
  // In the middle of a drain, which ends with its budget.
  await inNewRun(tenant.extraction);
  await tenant.extraction.signal(tuneExtractionSignal, { ...tunings(stage).extraction, continueAsNewAfter: 60 });
  await tenant.pause();
  await ask(stage, tenant, 'resume');
  await extracted(tenant, 30);
  await tenant.until('parked', ({ extraction }) => extraction?.state === 'parked');
  await tenant.gladly.clearFaults();
  await tenant.gladly.fault({ path: '/api/v1/**', status: 503, forMs: 8_000 });
  await emit(tenant, 2);
  await tenant.until('waits', ({ extraction }) => extraction?.state === 'waiting_for_gladly');
  await inNewRun(tenant.extraction);
  const { runId } = await tenant.extraction.describe();
  for (let events = 32; (await tenant.extraction.describe()).runId === runId; events += 1) {
    await extracted(tenant, events, 60_000);
    await emit(tenant, 1);
  }
  await eventually(async () => {
    const { phase } = await tenant.extraction.query(extractionStatusQuery);
    if (phase !== 'parked') throw new Error(`It is ${phase}.`);
  });
  await inNewRun(tenant.extraction);
  await stage.store('extraction-run', tenant.extraction);
}

/** Warned, archived, and paused over a new history; told what it cannot read. */
async function paused(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  await tenant.pause();
  await emit(tenant, 3);
  await tenant.extraction.signal(warnSignal, problem('events_expire', { percent: 80, at: '2026-01-01T00:00:00.000Z' }));
  await tenant.until('warned', ({ extraction }) => extraction?.['warning'] !== null);
  await tenant.extraction.signal(warnSignal, null);
  await tenant.extraction.signal(archiveSignal);
  await tenant.until('archived', ({ events }) => events.waiting === 3 && events.inQueue === 0);
  await inNewRun(tenant.extraction);
  await unreadable(stage, tenant.extraction, 'pause');
  await tenant.until('still paused', ({ extraction }) => extraction?.state === 'paused');
  await ask(stage, tenant, 'resume');
  await extracted(tenant, 3);
  await stage.store('extraction-paused', tenant.extraction);
}

/** Gladly refuses the token until somebody mends it; disconnected in the end. */
async function refused(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  await tenant.gladly.fault({ path: '/api/v1/**', status: 401 });
  await emit(tenant, 1);
  await tenant.until('needs attention', ({ extraction }) => extraction?.state === 'needs_attention');
  await inNewRun(tenant.extraction);
  await tenant.gladly.clearFaults();
  await ask(stage, tenant, 'recheck');
  await extracted(tenant, 1);
  await tenant.gladly.fault({ method: 'DELETE', status: 503, times: 5 });
  await stage.it.world.api('DELETE', tenant.path, { reason: 'end' });
  await tenant.until('disconnected', ({ connection }) => connection === 'disconnected');
  await stage.store('extraction-refused', tenant.extraction);
  await stage.store('onboarding-disconnected', tenant.onboarding);
}

/** To be disconnected, asked what is to become of the events that wait, and kept; then put back in Temporal itself. */
async function calledOff(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  await tenant.pause();
  await emit(tenant, 2);
  await tenant.until('waiting', ({ events }) => events.inQueue === 2);
  await stage.it.world.api('DELETE', tenant.path, { reason: 'left' });
  await tenant.until('asks', ({ problem: code }) => code === 'events_waiting');
  await inNewRun(tenant.onboarding);
  await ask(stage, tenant, 'call-off', { reason: 'a mistake' });
  await tenant.until('kept', (now) => now.onboarding?.state === 'done' && now.extraction?.state === 'paused');
  await stage.store('onboarding-called-off', tenant.onboarding);
  await stage.store('extraction-called-off', tenant.extraction);
  for (const [scenario, handle] of [
    ['extraction-reset', tenant.extraction],
    ['onboarding-reset', tenant.onboarding],
  ] as const) {
    const { events } = await handle.fetchHistory();
    const first = events?.find(({ workflowTaskCompletedEventAttributes: done }) => done)?.eventId;
    await stage.it.client.workflowService.resetWorkflowExecution({
      namespace: stage.it.world.env.namespace ?? 'default',
      workflowExecution: { workflowId: handle.workflowId },
      reason: 'recording',
      workflowTaskFinishEventId: first ?? null,
      requestId: scenario,
      // Signals are not sent again: what is known is known from the store.
      resetReapplyExcludeTypes: [1, 2],
    });
    await stage.it.client.workflow
      .getHandle(handle.workflowId)
      .signal(scenario === 'extraction-reset' ? wakeSignal : recheckSignal);
  }
  await tenant.until('as it was', (now) => now.onboarding?.state === 'done' && now.extraction?.state === 'paused');
  await stage.store('extraction-reset', tenant.extraction);
  await stage.store('onboarding-reset', tenant.onboarding);
}

/** A wrong token, over a new history; then a Gladly that fails for a while, and a new key for the webhook. */
async function faults(stage: Stage): Promise<void> {
  const { gladly, tenant, ...shown } = await newcomer(stage, 'create_for_me');
  await tenant.give({ ...credentialsOf(gladly), apiToken: 'wrong' });
  await shown.until('needs you', ({ problem: code }) => code === 'token_rejected');
  await inNewRun(shown.onboarding);
  await gladly.fault({ path: '/api/v1/**', times: 3, status: 503 });
  await tenant.give(credentialsOf(gladly));
  await tenant.until(({ onboarding }) => onboarding.state === 'done');
  await inNewRun(shown.onboarding);
  await ask(stage, shown, 'webhook-key');
  await tenant.until(
    ({ onboarding }) => onboarding.state === 'done' && stepIn({ onboarding } as never, 'webhook').attempts > 0,
  );
  await stage.store('onboarding-with-faults', shown.onboarding);
}

/** The webhook is not there for so long that it is reminded of. */
async function byHand(stage: Stage): Promise<void> {
  const { gladly, tenant, ...shown } = await newcomer(stage, 'by_hand');
  const { own, extraction } = tunings(stage);
  await shown.onboarding.signal(tuneOnboardingSignal, { own: { ...own, overdueMs: 1_500 }, extraction });
  await tenant.give(credentialsOf(gladly));
  await tenant.until((now) => stepIn(now, 'webhook').reminder !== null);
  await unreadable(stage, shown.onboarding, 'recheck');
  await saveByHand({ gladly, tenant });
  await tenant.until((now) => stepIn(now, 'webhook').state === 'done');
  await gladly.control('POST', '/emit', { count: 3, onlySubscribed: true });
  await tenant.until(({ onboarding }) => onboarding.state === 'done');
  await stage.store('onboarding-by-hand', shown.onboarding);
}

/** Never connected: its token is wrong, and it is given up while it is looked at once more. */
async function givenUp(stage: Stage): Promise<void> {
  const { gladly, tenant, ...shown } = await newcomer(stage, 'by_hand');
  await tenant.until(({ onboarding }) => onboarding.step === 'credentials');
  await tenant.give({ ...credentialsOf(gladly), apiToken: 'wrong' });
  await shown.until('needs you', ({ problem: code }) => code === 'token_rejected');
  await gladly.fault({ delayMs: 2_000 });
  await ask(stage, shown, 'webhook-setup', { setup: 'create_for_me' });
  await shown.until('chosen', ({ onboarding }) => onboarding?.webhookSetup === 'create_for_me');
  await stage.it.world.api('DELETE', shown.path, { reason: 'given up' });
  await shown.until('given up', ({ connection }) => connection === 'cancelled' || connection === 'disconnected');
  await stage.store('onboarding-given-up', shown.onboarding);
}

/** Paused while Postgres takes no write. */
async function unwritten(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  stage.unwritable.add(tenant.id);
  await ask(stage, tenant, 'pause', { reason: 'recording' });
  await eventually(async () => {
    const { events } = await tenant.extraction.fetchHistory();
    const timer = events?.findLast(({ timerStartedEventAttributes: started }) => started)?.timerStartedEventAttributes;
    if (Number(timer?.startToFireTimeout?.seconds) !== 5) throw new Error('It does not wait to write once more.');
  });
  stage.unwritable.delete(tenant.id);
  await tenant.until('paused', ({ extraction }) => extraction?.state === 'paused');
  await stage.store('extraction-unwritten', tenant.extraction);
}

/** Both of its workflows were ended in Temporal itself. */
async function begunAnew(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  await tenant.pause();
  await tenant.extraction.terminate('oops');
  await tenant.onboarding.terminate('oops');
  await sweepOnce(stage.it.world, stage.it.client);
  await tenant.until('as it was', (now) => now.onboarding?.state === 'done' && now.extraction?.state === 'paused');
  await stage.store('extraction-begun-anew', tenant.extraction);
  await stage.store('onboarding-begun-anew', tenant.onboarding);
}

/** Their tasks fail under code that does not fit their histories, and they go on when it is taken back. */
async function wedged(stage: Stage): Promise<void> {
  const tenant = await one(stage);
  await stage.it.deploy('wrong');
  const both = [tenant.extraction, tenant.onboarding];
  await tenant.extraction.signal(wakeSignal);
  await tenant.onboarding.signal(recheckSignal);
  for (const handle of both)
    await eventually(async () => {
      const { events } = await handle.fetchHistory();
      if (!events?.some(({ workflowTaskFailedEventAttributes: failed }) => failed))
        throw new Error('No task has failed.');
    });
  await stage.it.deploy('this');
  await emit(tenant, 1);
  await extracted(tenant, 1, GOES_ON_MS);
  await tenant.until('mended', ({ onboarding }) => onboarding?.state === 'done', GOES_ON_MS);
  await stage.store('extraction-wedged', tenant.extraction);
  await stage.store('onboarding-wedged', tenant.onboarding);
}

async function sweep(stage: Stage): Promise<void> {
  const handle = await stage.it.client.workflow.start(SWEEP_WORKFLOW, {
    workflowId: 'recorded-sweep',
    taskQueue: ONBOARDING_TASK_QUEUE,
    args: [],
  });
  await handle.result();
  await stage.store('sweep', handle);
}
