import type { LookupFunction } from 'node:net';
import { type FaultRow, WE_RETRY } from './row.ts';

const ORGANIZATION = '/api/v1/organization';
const CHECK_DOMAIN = 'Check the domain: it should be exactly the address at which you open Gladly.';
const CHECK_SPELLING = 'Check the spelling: open Gladly in a browser and copy the address from there.';
const OR_TELL_US = `${CHECK_DOMAIN} If it is, tell us.`;

/** What the resolver says of the names that rows use. */
const NAMES: Readonly<Record<string, string>> = {
  'no-such-name.gladly.com': 'ENOTFOUND',
  'dns-is-out.gladly.com': 'EAI_AGAIN',
  'private.gladly.com': '10.1.2.3',
  'loopback.gladly.com': '127.0.0.1',
  'link-local.gladly.com': 'fe80::1',
  'metadata.gladly.com': '169.254.169.254',
};

export const lookup: LookupFunction = (name, options, callback) => {
  const found = NAMES[name] ?? (name === 'localhost' ? '127.0.0.1' : 'ENOTFOUND');
  if (found.startsWith('E')) return callback(Object.assign(new Error(`getaddrinfo ${found}`), { code: found }), []);
  const family = found.includes(':') ? 6 : 4;
  if (options.all) return callback(null, [{ address: found, family }]);
  return callback(null, found, family);
};

/** The customer's domain, and the way to it. */
export const reachingFaults: readonly FaultRow[] = [
  {
    fault: 'name not found',
    domain: 'no-such-name.gladly.com',
    step: 'domain',
    state: 'needs_you',
    code: 'domain_not_found',
    sentence: 'There is no Gladly at {host}: the name does not exist.',
    remedy: CHECK_SPELLING,
  },
  {
    fault: 'the resolver is out',
    domain: 'dns-is-out',
    step: 'domain',
    state: 'retrying',
    code: 'dns_failed',
    sentence: 'The address of dns-is-out.gladly.com cannot be looked up at the moment.',
    remedy: WE_RETRY,
  },
  ...(['private', 'loopback', 'link-local', 'metadata'] as const).map(
    (kind): FaultRow => ({
      fault: `a name that leads to a ${kind} address`,
      domain: `${kind}.gladly.com`,
      step: 'domain',
      state: 'needs_you',
      code: 'address_refused',
      sentence: '{host} leads to a private network address, and we never connect to those.',
      remedy: OR_TELL_US,
    }),
  ),
  {
    fault: 'organization not found (404)',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, status: 404 }),
    step: 'domain',
    state: 'needs_you',
    code: 'organization_not_found',
    sentence: 'Gladly knows no organization at {host}.',
    remedy: CHECK_SPELLING,
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  {
    fault: '15 s without an answer',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, hang: true, times: 1 }),
    step: 'domain',
    state: 'retrying',
    code: 'gladly_timeout',
    sentence: '{host} did not answer within 15 seconds.',
    remedy: WE_RETRY,
    mend: 'time',
  },
  {
    fault: '500 five times and then fine',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, status: 500, times: 5 }),
    step: 'domain',
    state: 'retrying',
    code: 'gladly_server_error',
    sentence: 'Gladly has a problem of its own at the moment (status 500).',
    remedy: WE_RETRY,
    mend: 'time',
  },
  {
    fault: 'a web server’s 502 page',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, status: 502, body: 'html', times: 2 }),
    step: 'domain',
    state: 'retrying',
    code: 'gladly_server_error',
    sentence: 'Gladly has a problem of its own at the moment (status 502).',
    remedy: WE_RETRY,
    mend: 'time',
  },
  {
    fault: '429 for a while',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, status: 429, times: 3 }),
    step: 'domain',
    state: 'retrying',
    code: 'gladly_rate_limited',
    sentence: 'Your Gladly organization is making as many requests as Gladly allows.',
    remedy: 'Nothing to do: we slow down and keep trying. If it lasts, another of your integrations uses up the limit.',
    mend: 'time',
  },
  {
    fault: 'a connection that is cut',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, cut: true, times: 2 }),
    step: 'domain',
    state: 'retrying',
    code: 'connection_lost',
    sentence: 'The connection to {host} broke off.',
    remedy: WE_RETRY,
    mend: 'time',
  },
  {
    fault: 'HTML instead of JSON',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, status: 200, body: 'html' }),
    step: 'domain',
    state: 'needs_you',
    code: 'not_gladly',
    sentence: '{host} answered with something that is not Gladly, such as a web page.',
    remedy: CHECK_DOMAIN,
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  {
    fault: 'JSON that ends too early',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, malformed: true, times: 2 }),
    step: 'domain',
    state: 'retrying',
    code: 'connection_lost',
    sentence: 'The connection to {host} broke off.',
    remedy: WE_RETRY,
    mend: 'time',
  },
  {
    fault: 'an answer of more than 50 MB',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, status: 200, body: 'huge' }),
    step: 'domain',
    state: 'needs_you',
    code: 'answer_too_large',
    sentence: '{host} sent an answer that is larger than 20 MB, and we stopped reading it.',
    remedy: 'Check that the domain is the address at which you open Gladly. If it is, we have to look into it.',
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  {
    fault: 'a redirect to another host',
    arrange: ({ gladly }) =>
      gladly.fault({ path: ORGANIZATION, redirectTo: 'https://other.example/api/v1/organization' }),
    step: 'domain',
    state: 'needs_you',
    code: 'redirect_refused',
    sentence: '{host} sent us on to other.example. Your API token is never sent to another address.',
    remedy:
      'If other.example is the address at which you open Gladly, enter that as the domain. Otherwise check the spelling.',
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  {
    fault: 'a redirect to a private address',
    arrange: ({ gladly }) =>
      gladly.fault({ path: ORGANIZATION, redirectTo: 'http://169.254.169.254/latest/meta-data' }),
    step: 'domain',
    state: 'needs_you',
    code: 'redirect_refused',
    sentence: '{host} sent us on to 169.254.169.254. Your API token is never sent to another address.',
    remedy:
      'If 169.254.169.254 is the address at which you open Gladly, enter that as the domain. Otherwise check the spelling.',
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  {
    fault: 'a redirect to a page of its own',
    arrange: ({ gladly }) => gladly.fault({ path: ORGANIZATION, redirectTo: '/sign-in' }),
    step: 'domain',
    state: 'needs_you',
    code: 'not_gladly',
    sentence: '{host} answered with something that is not Gladly, such as a web page.',
    remedy: CHECK_DOMAIN,
    mend: ({ gladly }) => gladly.clearFaults(),
  },
];
