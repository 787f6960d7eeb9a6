import type { Buffer } from 'node:buffer';

/** A webhook key as it is stored. */
export interface KeyRecord {
  readonly keyId: string;
  readonly tenantId: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly hash: Buffer;
  /** Null: valid until it is revoked. */
  readonly validUntil: Date | null;
  readonly revokedAt: Date | null;
}

/** The store of webhook keys and queue addresses. Each call rejects when the store cannot answer. */
export interface KeySource {
  /** Keys that changed after revision `since`, revoked ones included; for 0, all live keys. `revision` is the `since` of the next call. */
  changes(since: number): Promise<{ readonly revision: number; readonly keys: readonly KeyRecord[] }>;
  /** Queue URLs by tenant. Tenants without a queue are left out. */
  queueUrls(tenantIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** A delivery that is to be written into the ledger. */
export interface LedgerRow {
  readonly tenantId: string;
  readonly keyId: string;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
  /** Byte for byte as received. */
  readonly body: Buffer;
}

export interface LedgerWriter {
  /** The result of each row, in order: true when it is durable, which includes rows that were stored before. Rejects when none was written. */
  put(rows: readonly LedgerRow[]): Promise<readonly boolean[]>;
}

/** Deliveries of one tenant, type and key since the last record. */
export interface DeliveryStat {
  readonly tenantId: string;
  /** An event's type, or one of `STAT_TYPE`. */
  readonly type: string;
  /** '' for a wrong key, and for none. */
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
  /** Without the key's header, or with an empty one. */
  noKey: 'no_key',
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

/** The part of pino's logger that ingest uses. Fields never hold keys or bodies; `event` names the kind of message and does not change. */
export interface IngestLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
