import type { ExtractionStatus } from '../contracts/extraction.ts';
import { type OnboardingStatus, PING } from '../contracts/onboarding.ts';
import { countConversations } from '../store/conversations/count.ts';
import type { Db } from '../store/db.ts';
import { listSightings } from '../store/sightings.ts';
import { submittedHost } from '../store/submitted-host.ts';
import type { Tenant } from '../store/tenants.ts';
import type { Known, TenantWorkflows } from './workflows.ts';

/** Deliveries of one kind that came with a right key. */
export interface Arrived {
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** All that the connect page tells of a tenant. Counts and states: no secret, no customer's text. */
export interface Progress {
  readonly tenant: Tenant;
  readonly webhookUrl: string;
  /** As it was entered last; it may not have been found. */
  readonly submittedHost: string | null;
  /** Null when no worker answers at the moment. */
  readonly onboarding: OnboardingStatus | null;
  /** Null before it was started, and when no worker answers. */
  readonly extraction: ExtractionStatus | null;
  /** By type: `PING` and Gladly's names of events. */
  readonly arrived: ReadonlyMap<string, Arrived>;
  /** Conversations that are stored, counted up to MOST_COUNTED. */
  readonly conversations: number;
}

/** Enough for a customer to see that it works. */
export const MOST_COUNTED = 1_000;

export interface ProgressWorld {
  readonly db: Db;
  readonly workflows: TenantWorkflows;
  readonly webhookUrl: (tenantId: string) => string;
}

/** Throws what Postgres or Temporal throw when they do not answer. */
export async function progressOf({ db, workflows, webhookUrl }: ProgressWorld, tenant: Tenant): Promise<Progress> {
  const { tenantId } = tenant;
  const [onboarding, extraction, sightings, conversations, host] = await Promise.all([
    workflows.onboardingStatus(tenantId),
    workflows.extractionStatus(tenantId),
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
  const webhook = webhookUrl(tenantId);
  return {
    tenant,
    webhookUrl: webhook,
    submittedHost: host,
    onboarding: told(onboarding),
    extraction: told(extraction),
    arrived,
    conversations,
  };
}

/** Everything but Gladly's test calls. */
export function eventsArrived(arrived: Progress['arrived']): { readonly count: number; readonly lastAt: Date | null } {
  const events = [...arrived].filter(([type]) => type !== PING).map(([, it]) => it);
  const last = Math.max(...events.map(({ lastAt }) => lastAt.getTime()));
  return { count: events.reduce((sum, it) => sum + it.count, 0), lastAt: events.length === 0 ? null : new Date(last) };
}

const told = <S>(known: Known<S> | null): S | null => (known?.from === 'workflow' ? known.status : null);
