import { type AuthenticatedCaller, authenticate, type KnownTenant, type LiveKey } from './authenticated.ts';
import type { IngestLog, KeyRecord, KeySource } from './ports.ts';

export interface KeyTimes {
  /** Milliseconds between two loads. A revoked key works at most this long plus the time of one load; the requirements allow 5 s. */
  readonly pollMs: number;
  /** Least milliseconds between two loads that unknown keys ask for: such a key may have been issued by another process just now. */
  readonly minGapMs: number;
  /** Longest time in milliseconds that a request with an unknown key waits for a load. */
  readonly maxWaitMs: number;
}

const TIMES: KeyTimes = { pollMs: 1_000, minGapMs: 250, maxWaitMs: 1_000 };

/** All live keys of all tenants, in memory: known keys cost no query, and keep working while the database is out. */
export interface Keys {
  /** False until the first load has succeeded: until then every key is unknown. */
  readonly isLoaded: boolean;
  /** True for a tenant with a live key. */
  knows(tenantId: string): boolean;
  /** Null when `shown` is no live key of this tenant, as far as it has been loaded. */
  check(tenantId: string, shown: string): AuthenticatedCaller | null;
  /** Checks again after the next load, or after `maxWaitMs`. For keys that `check` did not know; concurrent calls share one load. Never rejects. */
  checkAgain(tenantId: string, shown: string): Promise<AuthenticatedCaller | null>;
  /** Loads changes now. Call it after a key was issued or revoked in this process. Rejects with the error of the source. */
  refresh(): Promise<void>;
  /** Ends the polling; a load under way ends by itself. */
  close(): void;
}

/** Loads the keys now and then every `pollMs`; a load that fails is logged once and tried again at the next poll. */
export function createKeys(source: KeySource, log: IngestLog, given: Partial<KeyTimes> = {}): Keys {
  const times: KeyTimes = { ...TIMES, ...given };
  const known = new TenantKeys();
  let revision = 0;
  let isLoaded = false;
  let loading: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failing = false;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  async function load(): Promise<void> {
    askedAt = performance.now();
    try {
      const changes = await source.changes(revision);
      known.apply(changes.keys);
      revision = changes.revision;
      isLoaded = true;
      const without = known.tenantsWithoutQueue();
      if (without.length > 0) known.setQueues(await source.queueUrls(without));
      if (failing) log.info({ event: 'webhook_keys.recovered' }, 'webhook keys: read again');
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn({ event: 'webhook_keys.read_failed', err: error }, 'webhook keys: read failed, using those in memory');
      failing = true;
      throw error;
    }
  }

  /** The next load that begins: shared by all callers until it does. */
  function nextLoad(): Promise<void> {
    next ??= new Promise<void>((resolve, reject) => {
      setTimeout(
        () => {
          next = null;
          refresh().then(resolve, reject);
        },
        Math.max(0, askedAt + times.minGapMs - performance.now()),
      );
    });
    return next;
  }

  /** One load at a time. A load under way may have missed the change that the caller is after, so a second one follows it. */
  function refresh(): Promise<void> {
    const before = loading;
    const mine: Promise<void> = (before === null ? load() : before.then(load, load)).finally(() => {
      if (loading === mine) loading = null;
    });
    loading = mine;
    return mine;
  }

  const check = (tenantId: string, shown: string): AuthenticatedCaller | null =>
    authenticate(known.get(tenantId), shown, Date.now());

  async function poll(): Promise<void> {
    await (loading ?? refresh()).catch(() => undefined);
    if (!closed) timer = setTimeout(poll, times.pollMs);
  }

  void poll();

  return {
    get isLoaded() {
      return isLoaded;
    },
    knows: (tenantId) => known.get(tenantId) !== undefined,
    check,
    async checkAgain(tenantId, shown) {
      await settledWithin(nextLoad(), times.maxWaitMs);
      return check(tenantId, shown);
    },
    refresh,
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function settledWithin(asked: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    asked.then(done, done);
  });
}

/** The live keys and the queue of each tenant that has a key. */
class TenantKeys {
  readonly #tenants = new Map<string, KnownTenant>();

  get(tenantId: string): KnownTenant | undefined {
    return this.#tenants.get(tenantId);
  }

  apply(changes: readonly KeyRecord[]): void {
    for (const record of changes) {
      const tenant = this.#tenants.get(record.tenantId);
      const others = tenant?.keys.filter((key) => key.keyId !== record.keyId) ?? [];
      const keys = record.revokedAt === null ? [...others, live(record)] : others;
      // A tenant without a live key is treated as unknown.
      if (keys.length === 0) this.#tenants.delete(record.tenantId);
      else this.#tenants.set(record.tenantId, { tenantId: record.tenantId, queueUrl: tenant?.queueUrl ?? null, keys });
    }
  }

  tenantsWithoutQueue(): string[] {
    return [...this.#tenants.values()].filter((tenant) => tenant.queueUrl === null).map((tenant) => tenant.tenantId);
  }

  setQueues(urls: ReadonlyMap<string, string>): void {
    for (const [tenantId, queueUrl] of urls) {
      const tenant = this.#tenants.get(tenantId);
      if (tenant !== undefined) this.#tenants.set(tenantId, { ...tenant, queueUrl });
    }
  }
}

const live = ({ keyId, hash, validUntil }: KeyRecord): LiveKey => ({
  keyId,
  hash,
  validUntil: validUntil?.getTime() ?? Number.POSITIVE_INFINITY,
});
