import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { SWEEP_ID, SWEEP_WORKFLOW } from '../../src/contracts/sweep.ts';
import { extractionWorkflowId, onboardingWorkflowId } from '../../src/contracts/tenant.ts';
import type { Does } from './gladly.ts';
import { eventually, HAPPENS_MS } from './patience.ts';
import type { Site } from './scene.ts';

const NAMESPACE = 'default';
const OPERATOR = 'an operator';
const DRAIN = 'drain';
const EVERY_MS = 500;

interface Bytes {
  readonly [key: string]: Uint8Array;
}

/** Inputs that no data converter of ours reads: of another SDK, of a key that nobody has, or broken off. */
const UNDECODABLE: readonly { readonly metadata: Bytes; readonly data: Uint8Array }[] = [
  { metadata: { encoding: Buffer.from('json/protobuf') }, data: Buffer.from('{}') },
  { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.alloc(3) },
  {
    metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('foreign') },
    data: randomBytes(48),
  },
  { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"by":') },
  { metadata: {}, data: Buffer.from('?') },
];

/** Signals that change nothing, and one that nobody knows. */
const SIGNALS = {
  extraction: ['wake', 'warn', 'credentialsChanged', 'nobody-knows-this'],
  onboarding: ['webhookSeen', 'recheck', 'nobody-knows-this'],
} as const;

const at = <T>(list: readonly T[], die: number): T | undefined => list[Math.floor(die * list.length)];

/** What a person with Temporal's UI or CLI does. */
export function temporalTrouble({ workflowService, schedule }: Client) {
  const signal = async (workflowId: string, signalName: string, die: number): Promise<void> => {
    const payload = at(UNDECODABLE, die);
    await workflowService.signalWorkflowExecution({
      namespace: NAMESPACE,
      workflowExecution: { workflowId },
      signalName,
      input: { payloads: payload ? [payload] : [] },
      identity: OPERATOR,
      requestId: randomUUID(),
    });
  };

  /** The workflow may just have ended by other trouble: it is begun anew. */
  const until = (what: () => Promise<unknown>): Promise<boolean> =>
    eventually(() => what().then(() => true), HAPPENS_MS, EVERY_MS);

  const idOf = { extraction: extractionWorkflowId, onboarding: onboardingWorkflowId } as const;
  type Which = keyof typeof idOf;

  const undecodable =
    (which: Which): Does =>
    ({ tenantId }, { dice: [one, other] }) =>
      until(() => signal(idOf[which](tenantId), at(SIGNALS[which], one) ?? '', other));

  const terminate =
    (which: Which): Does =>
    ({ tenantId }) =>
      until(() =>
        workflowService.terminateWorkflowExecution({
          namespace: NAMESPACE,
          workflowExecution: { workflowId: idOf[which](tenantId) },
          reason: 'chaos',
          identity: OPERATOR,
        }),
      );

  const cancel =
    (which: Which): Does =>
    ({ tenantId }) =>
      until(() =>
        workflowService.requestCancelWorkflowExecution({
          namespace: NAMESPACE,
          workflowExecution: { workflowId: idOf[which](tenantId) },
          reason: 'chaos',
          identity: OPERATOR,
          requestId: randomUUID(),
        }),
      );

  /** Back to its first or its last completed workflow task. */
  const reset =
    (which: Which): Does =>
    ({ tenantId }, { dice: [one] }) =>
      until(async () => {
        const execution = { workflowId: idOf[which](tenantId) };
        const completed = await completedTasks(workflowService, execution);
        const finished = one < 0.5 ? completed[0] : completed.at(-1);
        if (finished === undefined) throw new Error('no workflow task of it is complete yet');
        await workflowService.resetWorkflowExecution({
          namespace: NAMESPACE,
          workflowExecution: execution,
          reason: 'chaos',
          workflowTaskFinishEventId: finished,
          requestId: randomUUID(),
        });
      });

  const pauseActivity: Does = async (site, { forMs }) => {
    const execution = { workflowId: extractionWorkflowId(site.tenantId) };
    const shared = { namespace: NAMESPACE, execution, identity: OPERATOR, type: DRAIN };
    const paused = await eventually(
      async () => {
        await site.pipeline.emit(1);
        await workflowService.pauseActivity({ ...shared, reason: 'chaos', requestId: randomUUID() });
        return isPaused(workflowService, execution);
      },
      HAPPENS_MS,
      EVERY_MS,
    );
    await sleep(forMs);
    // Its workflow may have ended meanwhile, and the pause with it.
    await eventually(
      async () => {
        await workflowService.unpauseActivity(shared);
        return !(await isPaused(workflowService, execution));
      },
      HAPPENS_MS,
      EVERY_MS,
    );
    return paused;
  };

  /** A sweep takes a fraction of a second: it is started and signalled until a signal meets one. */
  const signalSweep = (die: number): Promise<boolean> =>
    eventually(
      async () => {
        await schedule.getHandle(SWEEP_ID).trigger();
        const query = `WorkflowType = '${SWEEP_WORKFLOW}' AND ExecutionStatus = 'Running'`;
        const end = performance.now() + 2_000;
        while (performance.now() < end) {
          const { executions } = await workflowService.listWorkflowExecutions({ namespace: NAMESPACE, query });
          for (const { execution } of executions) {
            if (execution?.workflowId == null) continue;
            const sent = await signal(execution.workflowId, 'wake', die).then(
              () => true,
              () => false,
            );
            if (sent) return true;
          }
        }
        return false;
      },
      HAPPENS_MS,
      EVERY_MS,
    );

  return {
    signalSweep,
    tenant: {
      'undecodable signal to extraction': undecodable('extraction'),
      'undecodable signal to onboarding': undecodable('onboarding'),
      'terminate extraction': terminate('extraction'),
      'terminate onboarding': terminate('onboarding'),
      'cancel extraction': cancel('extraction'),
      'cancel onboarding': cancel('onboarding'),
      'reset extraction': reset('extraction'),
      'reset onboarding': reset('onboarding'),
      'activity pause': pauseActivity,
      pause: pauseTenant,
    },
  } as const satisfies { tenant: Record<string, Does>; signalSweep: (die: number) => Promise<boolean> };
}

type Service = Client['workflowService'];
interface Execution {
  readonly workflowId: string;
}

/** Ids of the events that end a workflow task, the oldest first. */
async function completedTasks(service: Service, execution: Execution) {
  const found = [];
  let nextPageToken: Uint8Array = Buffer.alloc(0);
  do {
    const page = await service.getWorkflowExecutionHistory({ namespace: NAMESPACE, execution, nextPageToken });
    for (const { eventId, workflowTaskCompletedEventAttributes: completed } of page.history?.events ?? [])
      if (completed && eventId) found.push(eventId);
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
  return found;
}

async function isPaused(service: Service, execution: Execution): Promise<boolean> {
  const { pendingActivities } = await service.describeWorkflowExecution({ namespace: NAMESPACE, execution });
  return pendingActivities.some(({ paused }) => paused === true);
}

const resumed = z.object({ extraction: z.object({ pause: z.unknown() }).loose().nullable() });

/** As an operator does it, over HTTP, and with what they see of it: a command that was not answered is given again. */
async function pauseTenant({ tenantId, pipeline }: Site, { forMs }: { readonly forMs: number }): Promise<boolean> {
  const ask = (what: string, body: object) => async (): Promise<boolean> =>
    (await pipeline.ask('POST', `/v1/tenants/${tenantId}/${what}`, body)).status === 202;
  const isPausedNow = async (): Promise<boolean> => resumed.parse(await pipeline.status()).extraction?.pause != null;
  const asked = await eventually(ask('pause', { reason: 'chaos' }), HAPPENS_MS, EVERY_MS);
  const seen = asked && (await eventually(isPausedNow, HAPPENS_MS));
  await sleep(forMs);
  await eventually(async () => (await ask('resume', {})()) && !(await isPausedNow()), HAPPENS_MS, EVERY_MS);
  return seen;
}
