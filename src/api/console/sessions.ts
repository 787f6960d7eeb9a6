import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { OperatorKey, SecretKey } from '../../config.ts';
import type { EndedSessions } from '../../store/ended-sessions.ts';
import type { Operator } from '../http/operators.ts';

/**
 * Who is signed in to the console, by a cookie that no script can read and no other site can send. Why not with Koa's `ctx.cookies`:
 * docs/decisions/0009-session-cookie.md.
 */
export interface Sessions {
  /** The Set-Cookie header for the operator with this key; null for an unknown key. */
  signIn(key: string): string | null;
  /**
   * Ends the session of this request for good, in every process, also for requests that still send its cookie: a stream of another tab
   * that is open. Answers the Set-Cookie header that takes it out of the browser. Throws StoreError; the session has not ended then.
   */
  signOut(request: IncomingMessage): Promise<string>;
  /** Undefined without a session, and when it has ended, was altered, or its operator key is no longer configured. Throws StoreError. */
  operatorOf(request: IncomingMessage): Promise<Operator | undefined>;
}

export interface SessionOptions {
  readonly operatorKeys: readonly OperatorKey[];
  /** The first signs, all verify. */
  readonly secretKeys: readonly SecretKey[];
  readonly ended: EndedSessions;
  /** Browsers reach us over TLS: the cookie never travels without it. */
  readonly secure: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A working day; then the operator key is asked for again. */
const SESSION_MS = 12 * 3_600_000;

/** `expiresAt.operator.signature`: which key it belongs to is told by a fingerprint, from which the key cannot be derived. */
const TOKEN = /^(\d{13,14})\.([\w-]{43})\.([\w-]{43})$/;

/** Throws RangeError without a secret key. */
export function createSessions({ operatorKeys, secretKeys, ended, secure, now = Date.now }: SessionOptions): Sessions {
  const signing = secretKeys.map(({ key }) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), '', 'idiomatic console session v1', 32)),
  );
  const [first] = signing;
  if (!first) throw new RangeError('Sessions need a key: SECRET_KEYS is empty.');
  const known = operatorKeys.map(({ key, name, role }) => ({ print: fingerprint(key), operator: { name, role } }));
  const find = (print: Buffer): Operator | undefined =>
    known.reduce<Operator | undefined>((found, one) => (isSame(one.print, print) ? one.operator : found), undefined);

  // The prefix has browsers refuse the cookie from a subdomain or without TLS; without TLS they would refuse the prefix.
  const name = secure ? '__Host-console' : 'console';
  const setCookie = (value: string, seconds: number): string =>
    `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;

  /** The session that a request belongs to; undefined when there is none, or it has expired or was altered. */
  const sessionOf = ({ headers }: IncomingMessage) => {
    const [, expires = '', print = '', signature = ''] = TOKEN.exec(cookieOf(headers.cookie, name)) ?? [];
    const given = Buffer.from(signature, 'base64url');
    const isGenuine = signing.some((key) => isSame(mac(key, `${expires}.${print}`), given));
    const expiresAt = Number(expires);
    return isGenuine && expiresAt > now()
      ? { hash: hashOf(`${expires}.${print}`), expiresAt, print: Buffer.from(print, 'base64url') }
      : undefined;
  };
  return {
    signIn(key) {
      const print = fingerprint(key);
      if (!find(print)) return null;
      const payload = `${now() + SESSION_MS}.${print.toString('base64url')}`;
      return setCookie(`${payload}.${mac(first, payload).toString('base64url')}`, SESSION_MS / 1_000);
    },
    async signOut(request) {
      const session = sessionOf(request);
      if (session) await ended.end(session.hash, new Date(session.expiresAt));
      return setCookie('', 0);
    },
    async operatorOf(request) {
      const session = sessionOf(request);
      const operator = session && find(session.print);
      return operator && !(await ended.isEnded(session.hash)) ? operator : undefined;
    },
  };
}

function cookieOf(header: string | undefined, name: string): string {
  const found = header?.split(/; */).find((one) => one.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? '';
}

const hashOf = (payload: string): string => createHash('sha256').update(payload).digest('base64url');

const fingerprint = (key: string): Buffer => createHash('sha256').update(`console session of ${key}`).digest();

const mac = (key: Buffer, payload: string): Buffer => createHmac('sha256', key).update(payload).digest();

const isSame = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other);
