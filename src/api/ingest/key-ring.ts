import type { KnownTenant, LiveKey } from './authenticated.ts';
import type { KeyRecord } from './ports.ts';

/** All live keys by tenant, kept up to date with what changed. */
export class KeyRing {
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
