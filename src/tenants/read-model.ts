import { LRUCache } from 'lru-cache';
import type { ExtractionPhase, ExtractionView, Stamped } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import type { Problem } from '../contracts/problems.ts';
import type { TenantId } from '../contracts/tenant.ts';
import { type Queues, totalOf } from '../queue/provision.ts';
import { submittedHost } from '../store/credentials.ts';
import type { Db } from '../store/db.ts';
import { drainStates, type NotedQuota, quotasOf } from '../store/drains.ts';
import { listDrift } from '../store/drift.ts';
import { countConversations } from '../store/feed.ts';
import { type EventCounts, eventCounts, eventCountsOf, pendingConversations } from '../store/ledger/counters.ts';
import { type Recent, readMeasurements, recentOf } from '../store/measurements.ts';
import { lastSeenOf, listSightings } from '../store/sightings.ts';
import { countByNeed, type PlaceFacts, readTenantFacts, tenantsById, tenantsByNeed } from '../store/tenant-states.ts';
import type { Tenant } from '../store/tenants.ts';
import { type Backlog, backlogOf } from './backlog.ts';
import { queueFinding, standstillFinding, workflowFinding } from './finding-kinds.ts';
import { type Liveness, liveness, type TemporalWatch } from './liveness.ts';
import { firstLossAt, waitsSince } from './loss.ts';
import { silentSince } from './silence.ts';
import { GROUPS, type Group, keyProblem, type Standing, standingOf } from './standing.ts';

export interface ReadModelDeps {
  readonly db: Db;
  readonly queues: Pick<Queues, 'depths'>;
  readonly temporal: Pick<TemporalWatch, 'answeredAt'>;
  /** Part of Gladly's quota that extraction may use, 0 to 1 (QUOTA_SHARE). */
  readonly share: number;
}

/** How a tenant is now: what every face shows of it. */
export interface TenantView {
  readonly tenant: Tenant;
  readonly standing: Standing;
  /** Null until the onboarding has written it. */
  readonly onboarding: OnboardingStatus | null;
  /** Null while there never was an extraction. */
  readonly extraction: ExtractionView | null;
  /** The phase of its extraction; `parked` while nothing waits. Null while there never was one. */
  readonly phase: ExtractionPhase | null;
  readonly problem: Problem | null;
  /** The webhook is called with a wrong key. */
  readonly keyProblem: Problem | null;
  readonly warning: Problem | null;
  /** What the sweep or a drain found wrong with its queue or ledger. */
  readonly findings: readonly Problem[];
  readonly pause: Stamped | null;
  /** Extraction runs, so it can be paused and resumed. */
  readonly isExtracting: boolean;
  readonly counts: EventCounts;
  /** Messages in SQS, approximately; null when SQS does not answer. 0 for a tenant without a queue. */
  readonly inQueue: number | null;
  readonly deadLetters: number | null;
  /** Since when the oldest message in SQS has waited at most, and when it would be lost; null while none is there, or SQS does not answer. */
  readonly waitsSince: Date | null;
  readonly firstLossAt: Date | null;
  readonly liveness: Liveness;
}

/** What the console's page and the status tell besides. */
export interface TenantDetails {
  readonly lastEventAt: Date | null;
  /** Over the last hour; null when nothing was measured. */
  readonly recent: Recent | null;
  readonly quota: NotedQuota | null;
  readonly backlog: Backlog;
}

/** Signs that something is unlike before. */
export interface TenantHabits {
  /** Set when a tenant that usually sends has sent nothing for unusually long: its webhook may be off. */
  readonly silentSince: Date | null;
  /** Names of what Gladly sends that is not known yet, the newest first. */
  readonly drift: readonly { readonly what: string; readonly count: number }[];
}

/** Deliveries of one kind that came with a right key. */
export interface Arrived {
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** What has come of a connection, for the customer. Counts only: no secret, no customer's text. */
export interface Arrivals {
  /** By type: `PING` and Gladly's names of events. */
  readonly arrived: ReadonlyMap<string, Arrived>;
  /** Conversations that are stored, counted up to MOST_COUNTED. */
  readonly conversations: number;
  /** The domain as it was entered last; it may not have been found. */
  readonly submittedHost: string | null;
}

/** One tenant in the list. */
export interface TenantRow {
  readonly tenant: Tenant;
  readonly standing: Standing;
  readonly pause: Stamped | null;
  /** In the ledger and in SQS; `inQueue` is null when SQS does not answer, and 0 unasked while a drain empties it. */
  readonly waiting: number;
  readonly inQueue: number | null;
  readonly oldestWaitingAt: Date | null;
  readonly rejected: number;
  readonly firstLossAt: Date | null;
  readonly lastEventAt: Date | null;
  /** Over the last hour; null when nothing was measured. */
  readonly recent: Recent | null;
  readonly quota: NotedQuota | null;
}

export interface ListQuery {
  /** Part of the id or the name, capitals or not. */
  readonly search: string;
  readonly group: Group | null;
  /** From 1; one beyond the last is the last. */
  readonly page: number;
}

export interface ListPage {
  readonly rows: readonly TenantRow[];
  readonly groups: Readonly<Record<Group, number>>;
  /** Tenants that were asked for, on all pages. */
  readonly found: number;
  readonly page: number;
  readonly pages: number;
  readonly liveness: Liveness;
}

/** Rows of a page: a screen or two. */
export const PAGE_ROWS = 50;
/** Enough for a customer to see that it works. */
export const MOST_COUNTED = 1_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A tenant's habit is learned from so long: it has every night and two weekends in it. */
const HABIT_MS = 14 * DAY_MS;
const DRIFT_SHOWN = 20;
/** A depth takes two calls of SQS: pages that follow show the same for a moment, and so many tenants are remembered at most. */
const DEPTH_MS = 2_000;
const DEPTHS_REMEMBERED = 500;
/** A drain notes the quota every 2 s (activities/drain/limits.ts): an older one says that no drain is at work. */
const QUOTA_CURRENT_MS = 10_000;

interface Depth {
  readonly inQueue: number;
  readonly dead: number;
}

/**
 * How tenants are: the one place that reads it, for the list, the pages, the status and the connect page. Postgres is asked, and SQS for what is in
 * a queue; Temporal never. Throws StoreError.
 */
export class ReadModel {
  readonly #deps: ReadModelDeps;
  /** Null is not kept by the cache, so what does not answer is kept as an object. */
  readonly #depths: LRUCache<TenantId, { readonly depth: Depth | null }, Tenant>;

  constructor(deps: ReadModelDeps) {
    this.#deps = deps;
    this.#depths = new LRUCache({
      max: DEPTHS_REMEMBERED,
      ttl: DEPTH_MS,
      fetchMethod: async (_id, _stale, { context }) => ({ depth: await this.#askDepth(context) }),
    });
  }

  liveness(): Promise<Liveness> {
    return liveness(this.#deps.db, this.#deps.temporal);
  }

  /** Null when there is no such tenant. */
  async tenant(tenantId: TenantId): Promise<TenantView | null> {
    const { db } = this.#deps;
    const [facts, counted, drains, alive] = await Promise.all([
      readTenantFacts(db, tenantId),
      eventCountsOf(db, [tenantId]),
      drainStates(db, [tenantId]),
      this.liveness(),
    ]);
    const counts = counted.get(tenantId);
    // Being removed, a tenant loses its counters first.
    if (facts === null || counts === undefined) return null;
    const { tenant, onboarding, extraction, findings, queueEmptyAt } = facts;
    const refused = keyProblem(facts);
    const standing = standingOf(facts);
    const depth = await this.#depthOf(tenant);
    const isWaiting = depth !== null && depth.inQueue > 0;
    // The mark is older than what waits: a wake, or the end of a pause, is on its way.
    const isParked = extraction?.phase === 'running' && drains.get(tenantId)?.parkedAt != null && !isWaiting;
    return {
      tenant,
      standing,
      onboarding,
      extraction,
      phase: isParked ? 'parked' : (extraction?.phase ?? null),
      problem: standing.from === 'onboarding' ? standing.problem : (problemOf(facts) ?? refused),
      keyProblem: refused,
      warning: extraction?.warning ?? null,
      findings,
      pause: extraction?.pause ?? null,
      isExtracting: extraction !== null && extraction.phase !== 'disconnected' && tenant.state === 'connected',
      counts,
      inQueue: depth?.inQueue ?? null,
      deadLetters: depth?.dead ?? null,
      waitsSince: isWaiting ? waitsSince(tenant, queueEmptyAt) : null,
      firstLossAt: isWaiting ? firstLossAt(tenant, queueEmptyAt) : null,
      liveness: alive,
    };
  }

  async details({ tenant: { tenantId }, inQueue }: TenantView): Promise<TenantDetails> {
    const { db, share } = this.#deps;
    const now = Date.now();
    const [seen, recents, quotas, pending, minutes] = await Promise.all([
      lastSeenOf(db, [tenantId]),
      recentOf(db, [tenantId], new Date(now - HOUR_MS)),
      quotasOf(db, [tenantId]),
      pendingConversations(db, tenantId),
      readMeasurements(db, tenantId, { from: new Date(now - DAY_MS), to: new Date(now) }),
    ]);
    const quota = currentQuota(quotas.get(tenantId), now);
    return {
      lastEventAt: seen.get(tenantId) ?? null,
      recent: recents.get(tenantId) ?? null,
      quota,
      backlog: backlogOf({ ...pending, inQueue: inQueue ?? 0, share, quota, minutes }),
    };
  }

  async habits(tenantId: TenantId): Promise<TenantHabits> {
    const { db } = this.#deps;
    const now = new Date();
    const [drift, minutes] = await Promise.all([
      listDrift(db, tenantId, DRIFT_SHOWN),
      readMeasurements(db, tenantId, { from: new Date(now.getTime() - HABIT_MS), to: now }),
    ]);
    return {
      silentSince: silentSince(minutes, now),
      drift: drift.map(({ what, count }) => ({ what, count })),
    };
  }

  async arrivals(tenantId: TenantId): Promise<Arrivals> {
    const { db } = this.#deps;
    const [sightings, conversations, host] = await Promise.all([
      listSightings(db, tenantId),
      countConversations(db, tenantId, MOST_COUNTED),
      submittedHost(db, tenantId),
    ]);
    const arrived = new Map<string, Arrived>();
    // Those with a wrong key have no key id.
    for (const { type, count, firstAt, lastAt } of sightings.filter(({ keyId }) => keyId !== '')) {
      const before = arrived.get(type);
      arrived.set(type, {
        count: count + (before?.count ?? 0),
        firstAt: before && before.firstAt < firstAt ? before.firstAt : firstAt,
        lastAt: before && before.lastAt > lastAt ? before.lastAt : lastAt,
      });
    }
    return { arrived, conversations, submittedHost: host };
  }

  /** What waits in the ledger and in the queue; null when SQS does not answer. */
  async waiting(tenant: Tenant): Promise<number | null> {
    const [counts, depth] = await Promise.all([eventCounts(this.#deps.db, tenant.tenantId), this.#depthOf(tenant)]);
    return depth && counts.waiting + depth.inQueue;
  }

  /** A page of all tenants, what needs a person first comes first. */
  async list({ search, group, page }: ListQuery): Promise<ListPage> {
    const { db } = this.#deps;
    const text = search.trim();
    const need = group === null ? null : GROUPS.indexOf(group);
    const [counted, alive] = await Promise.all([countByNeed(db, text), this.liveness()]);
    const groups = Object.fromEntries(GROUPS.map((name, i) => [name, counted.get(i) ?? 0])) as Record<Group, number>;
    const found = group === null ? GROUPS.reduce((sum, name) => sum + groups[name], 0) : groups[group];
    const pages = Math.max(1, Math.ceil(found / PAGE_ROWS));
    const at = Math.min(Math.max(1, page), pages);
    const facts = await tenantsByNeed(db, { search: text, need }, { offset: (at - 1) * PAGE_ROWS, limit: PAGE_ROWS });
    return { rows: await this.#rows(facts), groups, found, page: at, pages, liveness: alive };
  }

  /** A page of tenants by id, each with how it stands. */
  async byId(page: { readonly after: TenantId; readonly limit: number; readonly search: string }) {
    const facts = await tenantsById(this.#deps.db, page);
    return facts.map(({ tenant, ...rest }) => ({ tenant, ...rest, standing: standingOf({ tenant, ...rest }) }));
  }

  async #rows(facts: readonly PlaceFacts[]): Promise<readonly TenantRow[]> {
    const { db } = this.#deps;
    const now = Date.now();
    const ids = facts.map(({ tenant }) => tenant.tenantId);
    const [counts, seen, recents, quotas, depths] = await Promise.all([
      eventCountsOf(db, ids),
      lastSeenOf(db, ids),
      recentOf(db, ids, new Date(now - HOUR_MS)),
      quotasOf(db, ids),
      Promise.all(facts.map((one) => (isDrained(one) ? { inQueue: 0 } : this.#depthOf(one.tenant)))),
    ]);
    return facts.map((one, i) => {
      const { tenant, extraction, queueEmptyAt } = one;
      const { tenantId } = tenant;
      const count = counts.get(tenantId);
      const inQueue = depths[i]?.inQueue ?? null;
      return {
        tenant,
        standing: standingOf(one),
        pause: extraction?.pause ?? null,
        waiting: (count?.waiting ?? 0) + (inQueue ?? 0),
        inQueue,
        oldestWaitingAt: count?.oldestWaitingAt ?? null,
        rejected: count?.rejected ?? 0,
        firstLossAt: inQueue ? firstLossAt(tenant, queueEmptyAt) : null,
        lastEventAt: seen.get(tenantId) ?? null,
        recent: recents.get(tenantId) ?? null,
        quota: currentQuota(quotas.get(tenantId), now),
      };
    });
  }

  async #depthOf(tenant: Tenant): Promise<Depth | null> {
    if (tenant.queueUrl === null) return { inQueue: 0, dead: 0 };
    return (await this.#depths.fetch(tenant.tenantId, { context: tenant }))?.depth ?? null;
  }

  async #askDepth({ queueUrl, deadLetterQueueUrl }: Tenant): Promise<Depth | null> {
    if (queueUrl === null || deadLetterQueueUrl === null) return null;
    return await this.#deps.queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl }).then(
      ({ queue, dead }) => ({ inQueue: totalOf(queue), dead: totalOf(dead) }),
      () => null,
    );
  }
}

/** What stands between the tenant and its data once it extracts: a workflow that stands still, the extraction's own problem, its queue's, or events that do not go on. */
export const problemOf = ({ extraction, findings }: Pick<PlaceFacts, 'extraction' | 'findings'>): Problem | null =>
  workflowFinding(findings) ?? extraction?.problem ?? queueFinding(findings) ?? standstillFinding(findings);

/** While a drain is at work the queue is as good as empty, and SQS need not be asked. */
const isDrained = ({ extraction }: PlaceFacts): boolean => extraction?.phase === 'running';

const currentQuota = (quota: NotedQuota | undefined, now: number): NotedQuota | null =>
  quota !== undefined && now - quota.at.getTime() < QUOTA_CURRENT_MS ? quota : null;
