import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { SWEEP_ID, SWEEP_WORKFLOW } from '../../contracts/sweep.ts';
import { ONBOARDING_TASK_QUEUE } from '../../contracts/tenant.ts';

/**
 * Makes the Schedule of the sweep, or gives it the interval that is configured now. On the onboarding queue: busy drains must not keep
 * the sweep from a slot.
 */
export async function ensureSweep(client: Client, everyMs: number): Promise<void> {
  const spec = { intervals: [{ every: everyMs }] };
  try {
    await client.schedule.create({
      scheduleId: SWEEP_ID,
      spec,
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
      action: {
        type: 'startWorkflow',
        workflowId: SWEEP_ID,
        workflowType: SWEEP_WORKFLOW,
        taskQueue: ONBOARDING_TASK_QUEUE,
        args: [],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(SWEEP_ID).update((schedule) => ({ ...schedule, spec }));
  }
}
