import ipaddr from 'ipaddr.js';

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
