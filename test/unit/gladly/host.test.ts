import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemSentence } from '../../../src/contracts/problems.ts';
import { parseGladlyHost } from '../../../src/gladly/host.ts';

const EXTRA = ['localhost:3900', 'https://localhost:3901'];
const originOf = (pasted: string): string => {
  const result = parseGladlyHost(pasted, EXTRA);
  return result.ok ? result.host.origin : `refused: ${result.problem.code}`;
};

describe('what people paste as their Gladly domain', () => {
  it.each([
    ['acme', 'https://acme.gladly.com'],
    ['acme.gladly.com', 'https://acme.gladly.com'],
    ['  Acme.Gladly.COM ', 'https://acme.gladly.com'],
    ['acme.gladly.com/', 'https://acme.gladly.com'],
    ['acme.gladly.com.', 'https://acme.gladly.com'],
    ['https://acme.gladly.com', 'https://acme.gladly.com'],
    ['http://acme.gladly.com/', 'https://acme.gladly.com'],
    ['https://acme.gladly.com/customer/profiles/1?tab=2#x', 'https://acme.gladly.com'],
    ['acme.gladly.com?next=a@b', 'https://acme.gladly.com'],
    ['acme.us-1.gladly.com', 'https://acme.us-1.gladly.com'],
    ['acme.us-1', 'https://acme.us-1.gladly.com'],
    ['us-1.gladly.com', 'https://us-1.gladly.com'],
    ['acme.gladly.qa', 'https://acme.gladly.qa'],
    ['acme.us-uat.gladly.qa', 'https://acme.us-uat.gladly.qa'],
    ['acme.us-uat', 'https://acme.us-uat.gladly.qa'],
    ['localhost:3900', 'http://localhost:3900'],
    ['http://LOCALHOST:3900/', 'http://localhost:3900'],
    ['https://localhost:3901/x', 'https://localhost:3901'],
  ])('%j is %s', (pasted, origin) => {
    expect(originOf(pasted)).toBe(origin);
  });

  it.each([
    ['', 'domain_invalid'],
    ['   ', 'domain_invalid'],
    ['https://', 'domain_invalid'],
    ['ftp://acme.gladly.com', 'domain_invalid'],
    ['javascript:alert(1)', 'domain_invalid'],
    ['user:pass@acme.gladly.com', 'domain_invalid'],
    ['https://acme.gladly.com@evil.example/', 'domain_invalid'],
    ['https://evil.example\\.gladly.com', 'domain_not_gladly'],
    ['jane@acme.com', 'domain_invalid'],
    ['acme.gladly.com:8443', 'domain_invalid'],
    ['acme.gladly.com:443', 'domain_invalid'],
    ['localhost:3902', 'domain_invalid'],
    ['127.0.0.1', 'domain_invalid'],
    ['http://169.254.169.254/latest', 'domain_invalid'],
    ['[::1]', 'domain_invalid'],
    ['[::1]:3900', 'domain_invalid'],
    ['gládly.com', 'domain_invalid'],
    ['аcme.gladly.com', 'domain_invalid'], // a Cyrillic letter
    ['acme。gladly.com', 'domain_invalid'], // an ideographic full stop, which browsers read as a dot
    ['xn--cme-8cd.gladly.com', 'domain_invalid'],
    ['acme gladly.com', 'domain_invalid'],
    ['acme..gladly.com', 'domain_invalid'],
    ['-acme.gladly.com', 'domain_invalid'],
    ['acme%2egladly.com', 'domain_invalid'],
    ['.gladly.com', 'domain_invalid'],
    ['gladly.com', 'domain_not_gladly'],
    ['help.gladly.com', 'domain_not_gladly'],
    ['www.gladly.com', 'domain_not_gladly'],
    ['status.gladly.com', 'domain_not_gladly'],
    ['https://developer.gladly.com/rest/', 'domain_not_gladly'],
    ['login', 'domain_not_gladly'],
    ['acme.evilgladly.com', 'domain_not_gladly'],
    ['acme.gladly.com.evil.example', 'domain_not_gladly'],
    ['a.b.c.gladly.com', 'domain_not_gladly'],
    ['acme.com', 'domain_not_gladly'],
    [`${'a'.repeat(64)}.gladly.com`, 'domain_invalid'],
    ['a'.repeat(5000), 'domain_invalid'],
  ])('%j is refused: %s', (pasted, code) => {
    expect(originOf(pasted)).toBe(`refused: ${code}`);
  });

  it('never repeats what may be a password', () => {
    const result = parseGladlyHost('https://jane:hunter2@acme.gladly.com');
    expect(result.ok ? '' : problemSentence(result.problem)).toMatch(/^The Gladly domain cannot be used: .*@/);
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('allows extra hosts only when they are configured', () => {
    expect(parseGladlyHost('localhost:3900').ok).toBe(false);
  });

  it('gives credentials to nobody but an organization of Gladly, whatever is pasted', () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9-]{1,12}$/);
    const piece = fc.oneof(
      label,
      fc.constantFrom(
        'gladly.com',
        'gladly.qa',
        '.',
        '@',
        ':',
        '/',
        '\\',
        '#',
        '?',
        '%2f',
        '://',
        'https://',
        '127.0.0.1',
        '[::1]',
        '\u0000',
        '\t',
        'evil.example',
        'ⓖladly.com',
      ),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }).map((it) => it.join('')),
        (pasted) => {
          const result = parseGladlyHost(pasted);
          if (!result.ok) return;
          const { host } = result;
          // What a URL parser, and so the HTTP client, makes of it is the same host, on the standard port and over TLS.
          const url = new URL(host.origin);
          expect(url.origin).toBe(host.origin);
          expect(url.hostname).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)?\.gladly\.(com|qa)$/);
          expect([url.protocol, url.port, url.username, url.password]).toEqual(['https:', '', '', '']);
          // Parsing the canonical form again changes nothing.
          expect(parseGladlyHost(host.name)).toEqual(result);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
