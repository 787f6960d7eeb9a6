import { createGladlyClient, type GladlyClientOptions } from '../../gladly/client.ts';
import type { Connections } from '../../gladly/connect.ts';
import { type Governor, slower } from '../../gladly/quota.ts';
import type { GladlyFor } from './deps.ts';

/** Requests a second, of the customer's 10: checks leave the rest to other clients. */
const REQUESTS_PER_SECOND = 2;

/** All checks of one host, of whatever tenant, share the pace, and the quota with extraction. */
export function createPacedGladly(options: {
  readonly governors: (hostName: string) => Governor;
  readonly connections: Connections;
  /** Shorter in tests. */
  readonly limits?: NonNullable<GladlyClientOptions['limits']>;
}): GladlyFor {
  const { governors, connections, limits } = options;
  const paced = new Map<string, Governor>();
  const pacedFor = (name: string): Governor => {
    const known = paced.get(name);
    if (known) return known;
    const made = slower(governors(name), REQUESTS_PER_SECOND);
    paced.set(name, made);
    return made;
  };
  return (host, { email, apiToken }) =>
    createGladlyClient({
      host,
      email,
      apiToken,
      connections,
      governor: pacedFor(host.name),
      ...(limits ? { limits } : {}),
    });
}
