import { proxyActivities } from '@temporalio/workflow';
import type { SweepActivities, WatchReport } from '../../contracts/sweep.ts';

const activity = (summary: string) =>
  proxyActivities<SweepActivities>({
    summary,
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '30 seconds',
    // The next sweep comes anyway.
    retry: { maximumAttempts: 3 },
  });

/** One look at all tenants; a Schedule starts it. */
export async function sweep(): Promise<WatchReport & { readonly trimmed: number }> {
  const report = await activity('Look at all tenants: lost rings, events about to expire').watchTenants();
  return { ...report, ...(await activity('Remove what was done long ago').prune()) };
}
