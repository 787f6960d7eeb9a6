import { type TenantId, tenantOfWorkflow } from '../../contracts/tenant.ts';
import type { SealedCredentials } from '../../store/credentials.ts';
import { type KeyUse, NO_KEY } from '../../temporal/key-use.ts';

/** What was found in Temporal and Postgres. */
export interface Found {
  /** Ids of the keys of SECRET_KEYS, in their order. */
  readonly configured: readonly string[];
  readonly runs: readonly KeyUse[];
  readonly rows: readonly SealedCredentials[];
  /** Keys of what Schedules start, by the Schedule's id. */
  readonly schedules: ReadonlyMap<string, ReadonlySet<string>>;
  /** Histories that have ended; `keptDays` is the retention of Temporal's namespace. */
  readonly closed: { readonly count: number; readonly keptDays: number };
}

/** One key, and what still needs it. */
export interface KeyLine {
  readonly id: string;
  /** `missing`: something is sealed under it, and SECRET_KEYS does not hold it. */
  readonly is: 'first' | 'older' | 'missing';
  readonly workflows: number;
  readonly rows: number;
  readonly schedules: number;
  readonly tenants: number;
  /** Nothing needs it any more that can be counted. */
  readonly mayGo: boolean;
  /** What needs it, by name; empty for the first key, which everything does. */
  readonly neededBy: readonly string[];
}

export interface KeyReport {
  readonly keys: readonly KeyLine[];
  /** Rows whose key is there and that do not open all the same, with why. */
  readonly damaged: readonly string[];
  readonly closed: Found['closed'];
}

/** What a renewal came to. */
export interface Renewal {
  readonly first: string;
  /** Workflows that held another key than the first one. */
  readonly asked: number;
  /** Of these: those that have begun no new history within the time that was given. */
  readonly waiting: readonly string[];
  /** Of these: those that have, under another key than the first one. */
  readonly underOther: readonly string[];
  /** Rows that were sealed anew; null when none was touched. */
  readonly resealed: number | null;
}

export function reportOf({ configured, runs, rows, schedules, closed }: Found): KeyReport {
  const users: readonly User[] = [
    ...runs.flatMap(({ workflowId, keyIds }) => {
      const of = { kind: 'workflows', name: workflowId, tenantId: tenantOfWorkflow(workflowId) } as const;
      return [...keyIds].map((id) => ({ ...of, id }));
    }),
    ...rows.map(({ keyId, tenantId, version }) => {
      const name = `credentials ${version} of ${tenantId}`;
      return { kind: 'rows', id: keyId ?? NO_KEY, name, tenantId } as const;
    }),
    ...[...schedules].flatMap(([scheduleId, keyIds]) => {
      const of = { kind: 'schedules', name: `the Schedule ${scheduleId}`, tenantId: null } as const;
      return [...keyIds].map((id) => ({ ...of, id }));
    }),
  ];
  const byKey = Map.groupBy(users, ({ id }) => id);
  const missing = [...byKey.keys()].filter((id) => !configured.includes(id)).sort();
  const line = (id: string, is: KeyLine['is']): KeyLine => {
    const of = byKey.get(id) ?? [];
    const count = (kind: User['kind']): number => of.filter((user) => user.kind === kind).length;
    return {
      id,
      is,
      workflows: count('workflows'),
      rows: count('rows'),
      schedules: count('schedules'),
      tenants: new Set(of.flatMap(({ tenantId }) => tenantId ?? [])).size,
      mayGo: is === 'older' && of.length === 0,
      neededBy: is === 'first' ? [] : of.map(({ name }) => name).sort(),
    };
  };
  return {
    keys: [
      ...configured.map((id, n) => line(id, n === 0 ? 'first' : 'older')),
      ...missing.map((id) => line(id, 'missing')),
    ],
    damaged: rows.flatMap(({ keyId, why }) =>
      why !== null && keyId !== null && configured.includes(keyId) ? [why] : [],
    ),
    closed,
  };
}

/** Whether something is left that no run of this command mends. */
export function needsPerson({ keys, damaged }: KeyReport, renewal: Renewal | null): boolean {
  return (
    damaged.length > 0 ||
    keys.some(({ is }) => is === 'missing') ||
    (renewal !== null && keys.some(({ is, mayGo }) => is === 'older' && !mayGo))
  );
}

interface User {
  readonly id: string;
  readonly kind: 'workflows' | 'rows' | 'schedules';
  readonly name: string;
  readonly tenantId: TenantId | null;
}
