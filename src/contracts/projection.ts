import type { TenantId } from './tenant.ts';

/** What a workflow writes of itself, for people to read without asking Temporal. */
export interface Projection<V> {
  readonly tenantId: TenantId;
  /** Id of the workflow's run. The first write of a run replaces whatever an earlier run wrote. */
  readonly runId: string;
  /** 1 for the first write of a run, and higher with each one after it: a late write never replaces a newer one. */
  readonly seq: number;
  readonly view: V;
}
