import { type AuthenticatedCaller, authenticate, type KnownTenant, type LiveKey } from './authenticated.ts';
import type { IngestLog, KeyRecord, KeySource } from './ports.ts';

export interface KeyTimes {
  /** How often the source is asked what changed. A revoked key may work this long, plus the time of one load: 5 s are promised. */
  readonly pollMs: number;
  /** A wrong key may be one made a moment ago by another process: it waits for the next load, and those are at least so far apart. */
  readonly freshMs: number;
  /** A wrong key waits so long at most for the source. */
  readonly patienceMs: number;
}

const TIMES: KeyTimes = { pollMs: 1_000, freshMs: 250, patienceMs: 1_000 };

/** All live keys of all tenants, in memory: no request asks the database, and known keys go on working while it is out. */
export interface Keys {
  /** False until the source has answered once: until then nobody can be told from anybody. */
  readonly isLoaded: boolean;
  /** True for a tenant with a live key. */
  knows(tenantId: string): boolean;
  check(tenantId: string, shown: string): AuthenticatedCaller | null;
  /** The same, once the source has been asked what is new. For keys that `check` did not know; all of them share one load. */
  checkAgain(tenantId: string, shown: string): Promise<AuthenticatedCaller | null>;
  /** Asks the source now. Call it after a key was made or revoked in this process. Rejects when the source does. */
  refresh(): Promise<void>;
  close(): void;
}

export function createKeys(source: KeySource, log: IngestLog, given: Partial<KeyTimes> = {}): Keys {
  const times: KeyTimes = { ...TIMES, ...given };
  const ring = new KeyRing();
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
      ring.apply(changes.keys);
      revision = changes.revision;
      isLoaded = true;
      const without = ring.tenantsWithoutQueue();
      if (without.length > 0) ring.setQueues(await source.queueUrls(without));
      if (failing) log.info({}, 'webhook keys can be read again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'webhook keys cannot be read: those in memory go on working');
      failing = true;
      throw error;
    }
  }

  /** The next load that begins, soon. */
  function nextLoad(): Promise<void> {
    next ??= new Promise<void>((resolve, reject) => {
      setTimeout(
        () => {
          next = null;
          refresh().then(resolve, reject);
        },
        Math.max(0, askedAt + times.freshMs - performance.now()),
      );
    });
    return next;
  }

  /** One load at a time. One that is under way may have missed the news that the caller is after, so another one follows it. */
  function refresh(): Promise<void> {
    const before = loading;
    const mine: Promise<void> = (before === null ? load() : before.then(load, load)).finally(() => {
      if (loading === mine) loading = null;
    });
    loading = mine;
    return mine;
  }

  const check = (tenantId: string, shown: string): AuthenticatedCaller | null =>
    authenticate(ring.get(tenantId), shown, Date.now());

  async function poll(): Promise<void> {
    await (loading ?? refresh()).catch(() => undefined);
    if (!closed) timer = setTimeout(poll, times.pollMs);
  }

  void poll();

  return {
    get isLoaded() {
      return isLoaded;
    },
    knows: (tenantId) => ring.get(tenantId) !== undefined,
    check,
    async checkAgain(tenantId, shown) {
      await withPatience(nextLoad(), times.patienceMs);
      return check(tenantId, shown);
    },
    refresh,
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function withPatience(asked: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    asked.then(done, done);
  });
}

/** All live keys by tenant, kept up to date with what changed. */
class KeyRing {
  readonly #tenants = new Map<string, KnownTenant>();

  get(tenantId: string): KnownTenant | undefined {
    return this.#tenants.get(tenantId);
  }

  apply(changes: readonly KeyRecord[]): void {
    for (const record of changes) {
      const tenant = this.#tenants.get(record.tenantId);
      const others = tenant?.keys.filter((key) => key.keyId !== record.keyId) ?? [];
      const keys = record.revokedAt === null ? [...others, live(record)] : others;
      // Without a live key a tenant is like one that does not exist.
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
