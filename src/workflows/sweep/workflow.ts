import { proxyActivities } from '@temporalio/workflow';
import type { SweepActivities, WatchReport } from '../../contracts/sweep.ts';

const { watchTenants } = proxyActivities<SweepActivities>({
  summary: 'Look at all tenants: lost rings, events about to expire',
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  // The next sweep comes anyway.
  retry: { maximumAttempts: 3 },
});

const { prune } = proxyActivities<SweepActivities>({
  summary: 'Remove what was done long ago',
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { maximumAttempts: 3 },
});

/** One look at all tenants; a Schedule starts it. */
export async function sweep(): Promise<WatchReport & { readonly trimmed: number }> {
  const report = await watchTenants();
  return { ...report, ...(await prune()) };
}
