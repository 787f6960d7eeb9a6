import type { Payload } from '@temporalio/common';
import { decodeArrayFromPayloads, loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { z } from 'zod';
import { isUnreadable } from '../../../src/contracts/unreadable.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { historyKeys } from './keys.ts';

const converter = loadDataConverter(createDataConverter(historyKeys));
const decoded = async (payloads: Payload[] | null | undefined): Promise<unknown> =>
  (await decodeArrayFromPayloads(converter, payloads))[0];

/** The marker that the SDK writes of a local activity. */
const LOCAL_ACTIVITY = 'core_local_activity';

const input = z.looseObject({
  pause: z.unknown().optional(),
  carried: z
    .looseObject({
      phase: z.string().optional(),
      state: z.string().optional(),
      steps: z.array(z.looseObject({ state: z.string() })).default([]),
    })
    .optional(),
});
const drainInput = z.looseObject({ mode: z.string(), probe: z.boolean() });
const result = z.looseObject({ kind: z.string().optional(), end: z.looseObject({ kind: z.string() }).optional() });
const marker = z.looseObject({ activity_type: z.string() });

/** Through which states, signals, activities and turns of its workflow a history goes, each as words such as `signal pause`. */
export async function goesThrough({ events }: temporal.api.history.v1.IHistory): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const asked = new Map<string, string>();
  for (const event of events ?? []) {
    const { workflowExecutionStartedEventAttributes: started, workflowExecutionSignaledEventAttributes: signaled } =
      event;
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } = event;
    const { upsertWorkflowSearchAttributesEventAttributes: listed, markerRecordedEventAttributes: marked } = event;
    const { workflowTaskFailedEventAttributes: failed } = event;
    if (started?.input) {
      const { pause, carried } = input.parse((await decoded(started.input.payloads)) ?? {});
      if (pause !== undefined) found.add('begun paused');
      if (carried !== undefined) {
        found.add(`carried ${carried.phase ?? carried.state}`);
        for (const { state } of carried.steps) found.add(`carried a step that is ${state}`);
      }
    }
    if (signaled) {
      const given = await decoded(signaled.input?.payloads);
      found.add(isUnreadable(given) ? 'a signal that cannot be read' : `signal ${signaled.signalName}`);
    }
    if (listed) {
      const state = await decoded([listed.searchAttributes?.indexedFields?.['State'] ?? {}]);
      found.add(`state ${state}`);
    }
    if (scheduled) {
      const name = scheduled.activityType?.name ?? '';
      asked.set(String(event.eventId), name);
      found.add(`activity ${name}`);
      if (name === 'drain') {
        const { mode, probe } = drainInput.parse(await decoded(scheduled.input?.payloads));
        found.add(`drain ${mode}${probe ? ', a probe' : ''}`);
      }
    }
    if (completed) {
      const of = asked.get(String(completed.scheduledEventId));
      const { kind, end } = result.parse((await decoded(completed.result?.payloads)) ?? {});
      if (end) found.add(`drain ended: ${end.kind}`);
      if (kind) found.add(of === 'removeTraces' ? `disconnect: ${kind}` : `step: ${kind}`);
    }
    if (marked?.markerName === LOCAL_ACTIVITY) {
      const { activity_type } = marker.parse(await decoded(marked.details?.['data']?.payloads));
      found.add(marked.failure ? `activity ${activity_type} failed` : `activity ${activity_type}`);
    }
    if (event.activityTaskCancelRequestedEventAttributes) found.add('an activity cancelled');
    if (failed) found.add(failed.newRunId ? 'a reset' : 'a task that failed');
    if (event.workflowExecutionContinuedAsNewEventAttributes) found.add('continued as new');
    if (event.workflowExecutionCompletedEventAttributes) found.add('ended');
  }
  return found;
}
