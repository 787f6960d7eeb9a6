import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { SecretKey } from '../config.ts';
import { TENANT_ID, type TenantId } from '../contracts/tenant.ts';

/** Whose page a link opens, and until when. */
export interface ConnectLink {
  readonly tenantId: TenantId;
  /** The life of the tenant that it was made for (Tenant.incarnation): the next tenant of the same id has another. */
  readonly incarnation: string;
  /** Links of a lower epoch than the tenant's are withdrawn. */
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface ConnectLinks {
  /** The last part of the link's address. */
  sign(link: ConnectLink): string;
  /** The link, or null when it is none of ours, was altered, or has expired. Whether it was withdrawn only the tenant tells. */
  verify(token: string, now: number): ConnectLink | null;
}

/** A link is valid for 30 days: a set-up can wait for a colleague who is away. */
export const LINK_LIFE_MS = 30 * 86_400_000;

const TOKEN = /^([\w-]{8,200})\.([\w-]{43})$/;

/** The first key signs, all of them verify. */
export function connectLinks(keys: readonly SecretKey[]): ConnectLinks {
  const derived = keys.map(({ key }) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), '', 'idiomatic connect link v1', 32)),
  );
  const first = derived[0];
  if (!first) throw new RangeError('Connect links need a key: SECRET_KEYS is empty.');
  return {
    sign({ tenantId, incarnation, epoch, expiresAt }) {
      const payload = Buffer.from(`${tenantId} ${epoch} ${expiresAt} ${incarnation}`).toString('base64url');
      return `${payload}.${mac(first, payload).toString('base64url')}`;
    },
    verify(token, now) {
      const [, payload = '', signature = ''] = TOKEN.exec(token) ?? [];
      const given = Buffer.from(signature, 'base64url');
      const genuine = derived.some((key) => {
        const wanted = mac(key, payload);
        return given.length === wanted.length && timingSafeEqual(given, wanted);
      });
      // Links from before there were incarnations end after the time, as do those of tenants that were made then.
      const [tenantId = '', epoch, expiresAt, incarnation = ''] = Buffer.from(payload, 'base64url')
        .toString()
        .split(' ');
      if (!genuine || !TENANT_ID.test(tenantId) || !(Number(expiresAt) > now)) return null;
      return { tenantId, incarnation, epoch: Number(epoch), expiresAt: Number(expiresAt) };
    },
  };
}

const mac = (key: Buffer, payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
