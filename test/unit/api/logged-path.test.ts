import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loggedPath } from '../../../src/api/http/request-log.ts';
import { connectLinks } from '../../../src/tenants/connect-links.ts';

const links = connectLinks([{ id: 'k1', key: randomBytes(32).toString('base64') }]);
const token = links.sign({ tenantId: 'a', incarnation: '', epoch: 1, expiresAt: Date.now() + 1_000 });
const [payload = '', mac = ''] = token.split('.');
const escaped = (text: string): string =>
  [...text].map((char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');

describe('the path of a request in the log', () => {
  it.each([
    [`/connect/${token}`],
    [`/connect/${token}/live`],
    [`/CONNECT/${token}`],
    [`/Connect/${token}/live`],
    [`//connect/${token}`],
    [`/connect//${token}`],
    [`/connect/x/${token}`],
    [`/${token}`],
    [`/console/tenants/${token}/settings`],
    [`/connect/${payload}%2E${mac}`],
    [`//connect/${payload}%2e${mac}`],
    [`/${escaped(token)}`],
    [`/${escaped(escaped(token))}`],
    [`/%63onnect/${token}`],
    [`/connect\\${token}`],
    [`/links/${token.slice(0, -3)}`],
    [`/links/%zz${token}`],
    [`/connect/${payload}%0a.${mac}`],
  ])('has no link, however it is spelt (%#)', (path) => {
    const logged = loggedPath(path);
    expect(logged).toContain('LINK');
    expect(logged).not.toContain(mac.slice(0, 12));
    expect(logged).not.toContain(escaped(mac).slice(0, 12));
  });

  it.each([
    ['/console/tenants/acme/live'],
    ['/v1/tenants/acme/conversations/JQxqQ1VzQtqgKoQuFbGRvA'],
    ['/assets/style.0dq4cckoo6rp.css'],
    ['/v1/tenants/acme/conversations/%2e%2e'],
    ['/connect'],
    ['/%zz'],
  ])('is what was asked for where there is none: %s', (path) => {
    expect(loggedPath(path)).toBe(path);
  });
});
