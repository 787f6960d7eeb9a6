import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { SWEEP_ID, SWEEP_WORKFLOW } from '../../contracts/sweep.ts';
import { ONBOARDING_TASK_QUEUE } from '../../contracts/tenant.ts';

/** A sweep of 10,000 tenants takes minutes; one that stands still must not keep the next ones from beginning for longer. In ms. */
const LONGEST_MS = 20 * 60_000;

/**
 * Makes the Schedule of the sweep, or gives it what is configured now. On the onboarding queue: busy drains must not keep the sweep from a slot.
 * True when somebody has paused it, which is left so. Called now and then: what was deleted in Temporal is there again.
 */
export async function ensureSweep(client: Client, everyMs: number): Promise<boolean> {
  const spec = { intervals: [{ every: everyMs }] };
  const action = {
    type: 'startWorkflow',
    workflowId: SWEEP_ID,
    workflowType: SWEEP_WORKFLOW,
    taskQueue: ONBOARDING_TASK_QUEUE,
    args: [],
    workflowRunTimeout: LONGEST_MS,
  } as const;
  try {
    await client.schedule.create({
      scheduleId: SWEEP_ID,
      spec,
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
      action,
    });
    return false;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(SWEEP_ID);
    const { state, action: there, spec: known } = await handle.describe();
    const isRight =
      'workflowRunTimeout' in there &&
      there.workflowRunTimeout === LONGEST_MS &&
      known.intervals?.[0]?.every === everyMs;
    if (!isRight) await handle.update((schedule) => ({ ...schedule, spec, action }));
    return state.paused;
  }
}
