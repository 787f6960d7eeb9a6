/** The workflow that a Schedule starts again and again, one for all tenants. The name is in stored histories, so it stays. */
export const SWEEP_WORKFLOW = 'sweep';
export const SWEEP_ID = 'sweep';

/** What a look at all tenants found. */
export interface WatchReport {
  readonly tenants: number;
  /** Had events waiting and no drain: their wake signal was lost. */
  readonly woken: number;
  /** Alerts raised, and taken back, because of events that are about to expire. */
  readonly raised: number;
  readonly cleared: number;
  /** Tenants that could not be looked at: SQS did not answer for them. */
  readonly failed: number;
}

export interface SweepActivities {
  /** Wakes tenants whose wake signal was lost, and raises alerts before events expire. */
  watchTenants(): Promise<WatchReport>;
  /** Removes what was done long ago, in small steps. Answers how many events went. */
  prune(): Promise<{ readonly trimmed: number }>;
}
