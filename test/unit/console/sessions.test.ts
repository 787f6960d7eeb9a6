import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createSessions, type SessionOptions } from '../../../src/api/console/sessions.ts';

const ANN = 'a'.repeat(40);
const VIC = 'v'.repeat(40);
const operatorKeys = [
  { key: ANN, name: 'ann', role: 'operator' },
  { key: VIC, name: 'vic', role: 'viewer' },
] as const;
const secret = (id: string, byte: number) => ({ id, key: Buffer.alloc(32, byte).toString('base64') });
const HOURS = 3_600_000;
/** Nobody has signed out: that is looked at with a database (test/integration/console/sessions.test.ts). */
const NOBODY = { end: async () => undefined, isEnded: async () => false };

function sessions(options: Partial<SessionOptions> = {}) {
  return createSessions({ operatorKeys, secretKeys: [secret('one', 1)], ended: NOBODY, secure: false, ...options });
}

/** What a browser sends back after this Set-Cookie. */
function sent(setCookie: string | null, change: (cookie: string) => string = (cookie) => cookie): IncomingMessage {
  const cookie = change(setCookie?.split(';')[0] ?? '');
  return { headers: { cookie: `other=1; ${cookie}` } } as IncomingMessage;
}

describe('a session', () => {
  test('is of the operator whose key opened it, with the role of that key', async () => {
    const { signIn, operatorOf } = sessions();
    expect(await operatorOf(sent(signIn(ANN)))).toEqual({ name: 'ann', role: 'operator' });
    expect(await operatorOf(sent(signIn(VIC)))).toEqual({ name: 'vic', role: 'viewer' });
  });

  test('is for no wrong key, and the cookie does not hold the key', async () => {
    const { signIn } = sessions();
    expect(signIn('w'.repeat(40))).toBeNull();
    expect(signIn('')).toBeNull();
    expect(signIn(ANN)).not.toContain(ANN);
  });

  test('is kept from scripts and from other sites, and over TLS from everything without it', async () => {
    expect(sessions().signIn(ANN)).toMatch(/^console=[^;]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(sessions({ secure: true }).signIn(ANN)).toMatch(/^__Host-console=.*; HttpOnly; SameSite=Strict; Secure$/);
    expect(await sessions().signOut(sent(null))).toMatch(/^console=; Path=\/; Max-Age=0; HttpOnly/);
  });

  test('ends after 12 hours', async () => {
    let now = Date.UTC(2026, 0, 5, 8);
    const { signIn, operatorOf } = sessions({ now: () => now });
    const cookie = sent(signIn(ANN));
    now += 12 * HOURS - 1;
    expect(await operatorOf(cookie)).toBeDefined();
    now += 1;
    expect(await operatorOf(cookie)).toBeUndefined();
  });

  test('cannot be prolonged, altered or made up', async () => {
    const { signIn, operatorOf } = sessions();
    const made = signIn(ANN);
    const later = (cookie: string) => cookie.replace(/=\d+/, `=${Date.now() + 99 * HOURS}`);
    const other = (cookie: string) => cookie.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
    expect(await operatorOf(sent(made, later))).toBeUndefined();
    expect(await operatorOf(sent(made, other))).toBeUndefined();
    for (const forged of ['console=', 'console=a.b.c', `console=${ANN}`, '']) {
      expect(await operatorOf({ headers: { cookie: forged } } as IncomingMessage)).toBeUndefined();
    }
    expect(await operatorOf({ headers: {} } as IncomingMessage)).toBeUndefined();
  });

  test('ends when its operator key is taken away, and gets another role with it', async () => {
    const cookie = sent(sessions().signIn(ANN));
    expect(await sessions({ operatorKeys: [operatorKeys[1]] }).operatorOf(cookie)).toBeUndefined();
    const demoted = [{ key: ANN, name: 'ann', role: 'viewer' }] as const;
    expect(await sessions({ operatorKeys: demoted }).operatorOf(cookie)).toEqual({ name: 'ann', role: 'viewer' });
  });

  test('outlives a change of the secret key while the old one is still there', async () => {
    const cookie = sent(sessions().signIn(ANN));
    const operatorOf = (...secretKeys: ReturnType<typeof secret>[]) => sessions({ secretKeys }).operatorOf(cookie);
    expect(await operatorOf(secret('two', 2), secret('one', 1))).toBeDefined();
    expect(await operatorOf(secret('two', 2))).toBeUndefined();
  });
});
