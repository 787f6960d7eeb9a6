import type { Clock } from '../../contracts/clock.ts';
import { Collector } from './collector.ts';
import { type DeliveryStat, type DeliveryStats, type IngestLog, STAT_TYPE } from './ports.ts';

/** Types that are counted separately per tenant. Gladly has 60; further ones count as `STAT_TYPE.otherTypes`, so memory is bounded. */
const MAX_TYPES = 100;
/**
 * At most one refusal per tenant and type is recorded in this time: what is of interest is that there are any, and each is told to the onboarding.
 * After a delivery with a right key the next refusal is news, and is waited for by who has just saved the webhook.
 */
const REFUSAL_MS = 60_000;
const REFUSAL_AFTER_RIGHT_MS = 5_000;

type Stat = { -readonly [Field in keyof DeliveryStat]: DeliveryStat[Field] };

/**
 * Counts deliveries by tenant, key and type, and writes the counts about once a second. What onboarding waits for (a PING, the first event of
 * a type in this process) is written at once.
 */
export class DeliveryRecorder {
  readonly #collector: Collector<Stat>;
  readonly #typesOf = new Map<string, Set<string>>();
  readonly #refusedAt = new Map<string, number>();
  readonly #rightAt = new Map<string, number>();

  constructor(stats: DeliveryStats, log: IngestLog, clock?: Clock) {
    this.#collector = new Collector({
      name: 'delivery stats',
      write: (items) => stats.record(items),
      merge: add,
      log,
      clock,
    });
  }

  /** `type`: an event's type, or one of STAT_TYPE. `at`: milliseconds since 1970. */
  record(tenantId: string, keyId: string, given: string, at: number): void {
    if (keyId !== '') this.#rightAt.set(tenantId, at);
    const types = this.#typesOf.get(tenantId) ?? new Set();
    const type = types.size >= MAX_TYPES && !types.has(given) ? STAT_TYPE.otherTypes : given;
    const isFirst = !types.has(type);
    if (isFirst) this.#typesOf.set(tenantId, types.add(type));
    const stat = { tenantId, type, keyId, firstAt: at, lastAt: at, count: 1 };
    this.#collector.add(`${tenantId} ${keyId} ${type}`, stat, isFirst || type === STAT_TYPE.ping);
  }

  /** For tenants that exist only: memory is bounded by their number. */
  recordRefusal(tenantId: string, type: typeof STAT_TYPE.wrongKey | typeof STAT_TYPE.noKey, at: number): void {
    const key = `${tenantId} ${type}`;
    const last = this.#refusedAt.get(key) ?? Number.NEGATIVE_INFINITY;
    const gapMs =
      (this.#rightAt.get(tenantId) ?? Number.NEGATIVE_INFINITY) > last ? REFUSAL_AFTER_RIGHT_MS : REFUSAL_MS;
    if (at - last < gapMs) return;
    this.#refusedAt.set(key, at);
    this.record(tenantId, '', type, at);
  }

  close(): Promise<void> {
    return this.#collector.close();
  }
}

function add(known: Stat, other: Stat): void {
  known.firstAt = Math.min(known.firstAt, other.firstAt);
  known.lastAt = Math.max(known.lastAt, other.lastAt);
  known.count += other.count;
}
