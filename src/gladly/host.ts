import { isIP } from 'node:net';
import { type Problem, problem } from '../contracts/problems.ts';

/** A place that may be given Gladly credentials. Only `parseGladlyHost` makes one. */
export interface GladlyHost {
  /** Canonical and stable, to store and to compare: `acme.gladly.com`; `localhost:3900` for an extra host. */
  readonly name: string;
  /** Scheme, host and port without a trailing slash. HTTPS for all of Gladly's own. */
  readonly origin: string;
  /** From the configured list for development: may be plain HTTP and a private address. */
  readonly extra: boolean;
}

export type HostResult =
  | { readonly ok: true; readonly host: GladlyHost }
  | { readonly ok: false; readonly problem: Problem };

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** `acme.us-1`, `acme.us-uat`: a region without the suffix (gladly.md 2.1). */
const REGION = /^[a-z]{2}-[a-z0-9]+$/;
const SUFFIXES = ['gladly.com', 'gladly.qa'] as const;
/** Names under Gladly's suffix that are web sites, partly hosted by others, and no organization (gladly.md 7.5). */
const NOT_ORGANIZATIONS = new Set([
  ...['www', 'help', 'connect', 'academy', 'developer', 'developers', 'cdn', 'status', 'app', 'login', 'blog', 'api'],
  'info',
]);
/** The longest name DNS allows, and room for a path behind it. */
const MAX_INPUT = 2_000;

/**
 * Turns what a person pasted (`acme`, `Acme.gladly.com/`, a URL of any page in Gladly) into the one canonical host.
 * Everything but Gladly's own suffixes and `extraHosts` (entries `host:port` for plain HTTP, `https://host:port`) is refused:
 * the server there receives the customer's API token.
 */
export function parseGladlyHost(pasted: string, extraHosts: readonly string[] = []): HostResult {
  const text = pasted.trim().toLowerCase();
  if (text === '') return invalid('it is empty');
  if (text.length > MAX_INPUT) return invalid('it is too long');
  if (!/^[\x21-\x7e]+$/.test(text)) return invalid('it contains spaces or letters that an address of Gladly never has');

  const [, scheme = '', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/.exec(text) ?? [];
  if (scheme !== '' && scheme !== 'https' && scheme !== 'http') return invalid('it should begin with https://');
  const authority = rest.split(/[/?#\\]/, 1)[0] ?? '';
  if (authority.includes('@')) return invalid('it contains an @, as an email address does');

  const extra = extraHosts.map(readExtraHost).find((it) => it.name === authority);
  if (extra) return { ok: true, host: extra };

  const name = authority.replace(/\.$/, '');
  if (name === '') return invalid('it has no host name');
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return invalid('it is a number and not a name');
  if (name.includes(':')) return invalid('it contains a port, which an address of Gladly never has');
  return fromName(name);
}

function fromName(name: string): HostResult {
  const labels = name.split('.');
  if (!labels.every((label) => LABEL.test(label) && !label.startsWith('xn--'))) return invalid('it is not a host name');

  const suffix = SUFFIXES.find((it) => name.endsWith(`.${it}`));
  if (suffix) return ofOrganization(labels.slice(0, -2), suffix);
  const [, region = ''] = labels;
  if (labels.length === 1 && !SUFFIXES.some((it) => it === name)) return ofOrganization(labels, 'gladly.com');
  if (labels.length === 2 && REGION.test(region))
    return ofOrganization(labels, region === 'us-uat' ? 'gladly.qa' : 'gladly.com');
  return { ok: false, problem: problem('domain_not_gladly', { domain: name }) };
}

function ofOrganization(labels: readonly string[], suffix: string): HostResult {
  const name = [...labels, suffix].join('.');
  const [first = ''] = labels;
  if (labels.length > 2 || NOT_ORGANIZATIONS.has(first)) {
    return { ok: false, problem: problem('domain_not_gladly', { domain: name }) };
  }
  return { ok: true, host: { name, origin: `https://${name}`, extra: false } };
}

/** `localhost:3900` is plain HTTP; `https://localhost:3901` is not. */
function readExtraHost(entry: string): GladlyHost {
  const secure = entry.startsWith('https://');
  const name = entry.replace(/^https?:\/\//, '').toLowerCase();
  return { name, origin: `${secure ? 'https' : 'http'}://${name}`, extra: true };
}

const invalid = (reason: string): HostResult => ({ ok: false, problem: problem('domain_invalid', { reason }) });
