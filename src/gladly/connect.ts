import * as dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { GladlyHost } from './host.ts';

export interface Connections {
  /** What carries the requests to this host. */
  dispatcher(host: GladlyHost): Dispatcher;
  /** Ends idle connections; running requests are finished first. */
  close(): Promise<void>;
}

export interface ConnectionsOptions {
  /** How names are resolved; Node's own by default. */
  readonly lookup?: LookupFunction;
  /** Connections to one organization at the same time. */
  readonly perHost?: number;
}

/** The error that a refused address gives; `code` tells it apart. */
export const ADDRESS_REFUSED = 'ERR_GLADLY_ADDRESS_REFUSED';

const refused = (): Error =>
  Object.assign(new Error('the name leads to an address that is not public'), { code: ADDRESS_REFUSED });

// A connection attempt is part of the 15 s an answer may take (client.ts); 10 s leave room to say which part was slow.
const CONNECT_TIMEOUT_MS = 10_000;
// 10 requests a second at 1.5 s an answer keep 15 connections busy; more than that only with a lifted quota.
const CONNECTIONS_PER_HOST = 64;

/**
 * Connections to all tenants' Gladly hosts. A name is resolved once, by the socket that then connects to the very address
 * that was checked, so a DNS answer that changes between check and use changes nothing. Redirects are not followed here.
 */
export function createConnections(options: ConnectionsOptions = {}): Connections {
  const lookup = options.lookup ?? dns.lookup;
  const connections = options.perHost ?? CONNECTIONS_PER_HOST;
  const shared = { timeout: CONNECT_TIMEOUT_MS, allowH2: false };

  const connectPublic = buildConnector({ ...shared, lookup: publicOnly(lookup) });
  const guarded = new Agent({
    connections,
    connect: (target, done) => {
      // A socket to a literal address asks no resolver, so the check above would never run.
      if (isIP(target.hostname.replace(/^\[|\]$/g, '')) !== 0) done(refused(), null);
      else connectPublic(target, done);
    },
  });
  const open = new Agent({ connections, connect: buildConnector({ ...shared, lookup }) });

  return {
    dispatcher: (host) => (host.extra ? open : guarded),
    close: async () => {
      await Promise.all([guarded.close(), open.close()]);
    },
  };
}

/** Resolves like `lookup`, but fails unless every address is public: a mixed answer is an attack or a misconfiguration. */
export function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const addresses = Array.isArray(found) ? found : [];
      const [first] = addresses;
      if (!first || !addresses.every((it) => isPublicAddress(it.address))) return callback(refused(), []);
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

/** Where clouds serve credentials to their machines although the address looks public: Azure's wire server. */
const METADATA = new Set(['168.63.129.16']);
/** The only block of IPv6 that is given to the public internet (RFC 4291, IANA). */
const PUBLIC_V6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True only for addresses of the public internet. Everything with a meaning of its own is not: private, loopback, link-local
 * (169.254.169.254 among them), carrier-grade NAT, multicast, documentation, and IPv6 forms that carry an IPv4 address
 * (mapped, NAT64, 6to4, Teredo), through which a private one could be reached.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.match(PUBLIC_V6) : !METADATA.has(parsed.toString());
}
