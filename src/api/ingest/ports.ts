import type { Buffer } from 'node:buffer';

/** A webhook key as it is stored. */
export interface KeyRecord {
  readonly keyId: string;
  readonly tenantId: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly hash: Buffer;
  /** Null: until it is revoked. */
  readonly validUntil: Date | null;
  readonly revokedAt: Date | null;
}

/** Where webhook keys and queue addresses are kept. Each call rejects when the source cannot say. */
export interface KeySource {
  /** Keys that changed after this revision, revoked ones among them; after 0, all that live. */
  changes(since: number): Promise<{ readonly revision: number; readonly keys: readonly KeyRecord[] }>;
  /** Queue URLs of these tenants; one whose queue is not made yet is left out. */
  queueUrls(tenantIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** A delivery on its way into the ledger. */
export interface LedgerRow {
  readonly tenantId: string;
  readonly keyId: string;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
  /** As it came. */
  readonly body: Buffer;
}

export interface LedgerWriter {
  /** Each row's own result: true once it is durable. A row that is there already is no error. Rejects when nothing was written. */
  put(rows: readonly LedgerRow[]): Promise<readonly boolean[]>;
}

/** Deliveries of one tenant, type and key since the last record. */
export interface DeliveryStat {
  readonly tenantId: string;
  /** An event's type, or one of `STAT_TYPE`. */
  readonly type: string;
  /** '' for a wrong key. */
  readonly keyId: string;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

/** Types that are no event type of Gladly's. */
export const STAT_TYPE = {
  ping: 'PING',
  notAnEvent: 'not_an_event',
  wrongKey: 'wrong_key',
  otherTypes: 'other_types',
} as const;

export interface DeliveryStats {
  /** Adds these to what is stored: all of them, or it rejects and none is. */
  record(stats: readonly DeliveryStat[]): Promise<void>;
}

export interface Waker {
  /** Events wait for these tenants: wakes those that are parked. Rejects when one of them may not have been woken; may be called again. */
  wake(tenantIds: readonly string[]): Promise<void>;
}

/** What of pino is used here. Never given a key or a body. */
export interface IngestLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
