import { LRUCache } from 'lru-cache';
import type { ExtractionStatus } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import type { Problem } from '../contracts/problems.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Depths, Queues } from '../queue/provision.ts';
import type { Db } from '../store/db.ts';
import { type DrainState, drainStates } from '../store/drains.ts';
import { type EventCounts, eventCountsOf } from '../store/ledger/counters.ts';
import { lastActionOf, type Recent, recentOf } from '../store/overview.ts';
import { type NotedQuota, quotasOf } from '../store/quota-use.ts';
import { lastSeenOf } from '../store/sightings.ts';
import { listTenants, type Tenant } from '../store/tenants.ts';
import { byNeed, GROUPS, type Group, isPhase, type Standing, standingOf } from './standing.ts';
import type { WorkflowRecord, WorkflowRecords } from './workflow-records.ts';
import type { TenantWorkflows } from './workflows.ts';

/** Who stopped a tenant, when and why. */
export interface Pause {
  readonly by: string;
  readonly reason: string | null;
  readonly at: Date;
}

/** One tenant in the list. */
export interface TenantRow {
  readonly tenant: Tenant;
  readonly standing: Standing;
  readonly problem: Problem | null;
  readonly pause: Pause | null;
  /** In the ledger and in SQS; `inQueue` is null when SQS does not answer, and 0 unasked while a drain empties it. */
  readonly waiting: number;
  readonly inQueue: number | null;
  readonly oldestWaitingAt: Date | null;
  readonly rejected: number;
  /** When the first event would be lost; null while none is in the queue. */
  readonly firstLossAt: Date | null;
  readonly lastEventAt: Date | null;
  /** Over the last hour; null when nothing was measured. */
  readonly recent: Recent | null;
  readonly quota: NotedQuota | null;
}

export interface OverviewPage {
  readonly rows: readonly TenantRow[];
  readonly groups: Readonly<Record<Group, number>>;
  /** Tenants that were asked for, on all pages. */
  readonly found: number;
  readonly all: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  /** False: Temporal does not answer, so the states are not known. */
  readonly statesKnown: boolean;
}

export interface OverviewWorld {
  readonly db: Db;
  readonly queues: Queues;
  readonly workflows: TenantWorkflows;
  readonly records: () => Promise<WorkflowRecords>;
  readonly now?: () => number;
}

export interface OverviewQuery {
  /** Part of the id or the name, capitals or not. */
  readonly search: string;
  readonly group: Group | null;
  readonly page: number;
}

/** Rows of a page: a screen or two. */
export const PAGE_ROWS = 50;
/** Tenants a store call. */
const BATCH = 500;
/** However many people look, everything is read once in this time. */
const FRESH_MS = 1_000;
/** A depth takes SQS a call, so the same is shown for a moment. */
const DEPTH_MS = 5_000;
/** Who paused it and why does not change while the records stay the same; a problem's details hardly do. */
const EXPLAINED_MS = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A pause that the records date so near to one in the history is that one. */
const SAME_PAUSE_MS = 15_000;

interface Base {
  readonly tenant: Tenant;
  readonly tenantId: TenantId;
  readonly standing: Standing;
  readonly extraction: WorkflowRecord | undefined;
  readonly counts: EventCounts | undefined;
  readonly retentionAlert: number;
  readonly mayLoseAt: Date | null;
}

interface All {
  readonly tenants: readonly Base[];
  readonly statesKnown: boolean;
}

interface Explained {
  readonly problem: Problem | null;
  readonly pause: ExtractionStatus['pause'];
}

/** All tenants, sorted by what needs a person first. */
export class Overview {
  readonly #world: OverviewWorld;
  readonly #now: () => number;
  readonly #all: LRUCache<'all', All>;
  readonly #depths: LRUCache<TenantId, { readonly depths: Depths | null }, Tenant>;
  readonly #explained: LRUCache<string, Explained, Base>;

  constructor(world: OverviewWorld) {
    this.#world = world;
    this.#now = world.now ?? Date.now;
    this.#all = new LRUCache({ max: 1, ttl: FRESH_MS, fetchMethod: () => this.#read() });
    this.#depths = new LRUCache({
      max: 5_000,
      ttl: DEPTH_MS,
      fetchMethod: async (_key, _stale, { context }) => ({ depths: await this.#depthsOf(context) }),
    });
    this.#explained = new LRUCache({
      max: 5_000,
      ttl: EXPLAINED_MS,
      fetchMethod: (_key, _stale, { context }) => this.#explain(context),
    });
  }

  async page({ search, group, page }: OverviewQuery): Promise<OverviewPage> {
    const { tenants, statesKnown } = (await this.#all.fetch('all')) ?? (await this.#read());
    const wanted = search.trim().toLowerCase();
    const found = tenants.filter(
      ({ tenant }) => tenant.tenantId.includes(wanted) || tenant.name.toLowerCase().includes(wanted),
    );
    const groups = Object.fromEntries(
      GROUPS.map((name) => [name, found.filter(({ standing }) => standing.group === name).length]),
    ) as Record<Group, number>;
    const shown = group === null ? found : found.filter(({ standing }) => standing.group === group);
    const pages = Math.max(1, Math.ceil(shown.length / PAGE_ROWS));
    const at = Math.min(Math.max(1, page), pages);
    const rows = await this.#rows(shown.slice((at - 1) * PAGE_ROWS, at * PAGE_ROWS));
    return { rows, groups, found: shown.length, all: tenants.length, page: at, pages, statesKnown };
  }

  async #read(): Promise<All> {
    const { db, records } = this.#world;
    const states = await records().catch(() => null);
    const bases: Base[] = [];
    for (let after: TenantId | undefined = ''; after !== undefined; ) {
      const tenants: readonly Tenant[] = await listTenants(db, { after, limit: BATCH });
      const ids = tenants.map(({ tenantId }) => tenantId);
      const [counts, drains] = await Promise.all([eventCountsOf(db, ids), drainStates(db, ids)]);
      for (const tenant of tenants) {
        const { tenantId } = tenant;
        bases.push(base(tenant, states, counts.get(tenantId), drains.get(tenantId) ?? null));
      }
      after = tenants.length < BATCH ? undefined : tenants.at(-1)?.tenantId;
    }
    return { tenants: bases.sort(byNeed), statesKnown: states !== null };
  }

  async #rows(bases: readonly Base[]): Promise<readonly TenantRow[]> {
    const { db } = this.#world;
    const ids = bases.map(({ tenantId }) => tenantId);
    const [seen, recents, quotas, pauses, more] = await Promise.all([
      lastSeenOf(db, ids),
      recentOf(db, ids, new Date(this.#now() - HOUR_MS)),
      quotasOf(db, ids),
      lastActionOf(db, ids, 'pause'),
      Promise.all(bases.map((one) => this.#more(one))),
    ]);
    return bases.map((one, i) => {
      const { tenant, tenantId, standing, counts, mayLoseAt, extraction } = one;
      const depths = more[i]?.depths ?? null;
      const explained = more[i]?.explained ?? null;
      const isAsked = asksDepth(one);
      const inQueue = isAsked ? depths && total(depths.queue) : 0;
      return {
        tenant,
        standing,
        problem: explained?.problem ?? null,
        pause: pauseOf(extraction, pauses.get(tenantId), explained),
        waiting: (counts?.waiting ?? 0) + (inQueue ?? 0),
        inQueue,
        oldestWaitingAt: counts?.oldestWaitingAt ?? null,
        rejected: counts?.rejected ?? 0,
        firstLossAt: inQueue ? mayLoseAt : null,
        lastEventAt: seen.get(tenantId) ?? null,
        recent: recents.get(tenantId) ?? null,
        quota: quotas.get(tenantId) ?? null,
      };
    });
  }

  async #more(one: Base) {
    const { tenant, tenantId, standing, extraction } = one;
    const isStopped = standing.problem !== null || standing.group === 'paused';
    const key = [tenantId, standing.from, standing.problem, extraction?.pausedSince?.getTime()].join(' ');
    const [depths, explained] = await Promise.all([
      asksDepth(one) ? this.#depths.fetch(tenantId, { context: tenant }) : undefined,
      isStopped ? this.#explained.fetch(key, { context: one }) : undefined,
    ]);
    return { depths: depths?.depths ?? null, explained: explained ?? null };
  }

  async #depthsOf({ queueUrl, deadLetterQueueUrl }: Tenant): Promise<Depths | null> {
    if (queueUrl === null || deadLetterQueueUrl === null) return null;
    return this.#world.queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl }).catch(() => null);
  }

  async #explain({ tenantId, standing }: Base): Promise<Explained> {
    const { workflows } = this.#world;
    const nothing = { problem: null, pause: null };
    try {
      if (standing.from === 'onboarding') {
        const known = await workflows.onboardingStatus(tenantId);
        return known?.from === 'workflow' ? { ...nothing, problem: problemOf(known.status) } : nothing;
      }
      const known = await workflows.extractionStatus(tenantId);
      if (known?.from !== 'workflow') return nothing;
      return { problem: known.status.problem ?? known.status.warning, pause: known.status.pause };
    } catch {
      return nothing;
    }
  }
}

function base(
  tenant: Tenant,
  states: WorkflowRecords | null,
  counts: EventCounts | undefined,
  drain: DrainState | null,
): Base {
  const { tenantId, retentionAlert } = tenant;
  const extraction = states?.extraction.get(tenantId);
  const standing = standingOf(tenant, states?.onboarding.get(tenantId), extraction);
  return {
    tenant,
    tenantId,
    extraction,
    counts,
    retentionAlert,
    standing: states === null && standing.from === null && standing.group !== 'ended' ? UNKNOWN : standing,
    mayLoseAt: new Date((drain?.queueEmptyAt ?? tenant.createdAt).getTime() + tenant.retentionDays * DAY_MS),
  };
}

const UNKNOWN: Standing = { group: 'running', label: 'Not known', tone: 'quiet', problem: null, from: null };

/** While a drain is at work the queue is as good as empty, and SQS need not be asked. */
function asksDepth({ tenant, extraction }: Base): boolean {
  const isDrained =
    extraction !== undefined && isPhase(extraction.state) && /^(running|parked)$/.test(extraction.state);
  return tenant.queueUrl !== null && !isDrained;
}

export function problemOf({ problem, step, steps }: OnboardingStatus): Problem | null {
  return problem ?? steps.find(({ name }) => name === step)?.problem ?? null;
}

function pauseOf(
  extraction: WorkflowRecord | undefined,
  last: { readonly at: Date; readonly by: string; readonly reason: string | null } | undefined,
  explained: Explained | null,
): Pause | null {
  const at = extraction?.pausedSince;
  if (at == null) return null;
  const told = explained?.pause;
  if (told) return { by: told.by, reason: told.reason, at: new Date(told.at) };
  const isSame = last !== undefined && Math.abs(last.at.getTime() - at.getTime()) < SAME_PAUSE_MS;
  return isSame ? { ...last, at } : { by: 'somebody', reason: null, at };
}

const total = ({ waiting, inFlight, delayed }: Depths['queue']): number => waiting + inFlight + delayed;
