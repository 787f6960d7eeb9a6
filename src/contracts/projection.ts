import type { TenantId } from './tenant.ts';

/** What a workflow writes of itself, for people to read without asking Temporal. */
export interface Projection<V> {
  readonly tenantId: TenantId;
  /** Id of the workflow's run. The first write of a run replaces whatever an earlier run wrote, which then writes no more. */
  readonly runId: string;
  /** From 1, and higher with each write of a run: a late write never replaces a newer one. A run that a reset made goes on counting. */
  readonly seq: number;
  readonly view: V;
  /** What it keeps to: the sweep tells it when that was changed. */
  readonly tuning: object;
  /** This run knows what an earlier one had written last, and need not be told: it would be in the history once more. */
  readonly isTold?: boolean;
}

/** What an earlier run had written last; null when there was none, and for a run that knows it. */
export interface KnownBefore<V> {
  readonly before: V | null;
}
