import { RETENTION_DAYS } from '../../contracts/tenant.ts';
import type { RetentionAlert } from '../../store/retention-alerts.ts';
import type { RetentionPolicy } from '../../store/tenants.ts';

export const DAY_MS = 86_400_000;

export interface Risk {
  /** The oldest waiting message came after this: it has waited that long at most. */
  readonly waitsSince: Date;
  readonly retentionDays: number;
  readonly policy: RetentionPolicy;
  /** The queue is not read because extraction is paused. */
  readonly paused: boolean;
}

export interface RiskVerdict {
  /** 0: nothing to tell. Percent of the retention that the oldest message may have used up. */
  readonly level: 0 | RetentionAlert;
  readonly percent: number;
  readonly firstLossAt: Date;
  /** Days to raise the queue's retention to; null: leave it. */
  readonly extendTo: number | null;
  /** Take the events out of the queue, into the ledger, where nothing expires. */
  readonly archive: boolean;
}

const LEVELS: readonly RetentionAlert[] = [95, 80, 50];

/**
 * How near the first loss is, and what the tenant's policy does about it. `extend` and `archive` first raise the queue to 14 days,
 * which SQS applies to messages that wait already; from 80 % on `archive` takes them in. `alert` only tells.
 */
export function judge({ waitsSince, retentionDays, policy, paused }: Risk, now: Date): RiskVerdict {
  const age = now.getTime() - waitsSince.getTime();
  const percentOf = (days: number): number => Math.max(0, Math.floor((age / (days * DAY_MS)) * 100));
  const mayExtend = policy !== 'alert' && retentionDays < RETENTION_DAYS.max;
  const extendTo = mayExtend && percentOf(retentionDays) >= 50 ? RETENTION_DAYS.max : null;
  const days = extendTo ?? retentionDays;
  const percent = percentOf(days);
  return {
    level: LEVELS.find((level) => percent >= level) ?? 0,
    percent,
    firstLossAt: new Date(waitsSince.getTime() + days * DAY_MS),
    extendTo,
    archive: paused && policy === 'archive' && percent >= 80,
  };
}
