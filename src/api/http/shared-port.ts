import { readFileSync } from 'node:fs';

const SETTING = '/proc/sys/net/ipv4/tcp_migrate_req';

/**
 * Of processes that share a port (SO_REUSEPORT) each has its own queue of connections that are not accepted yet. When one stops listening, Linux
 * resets those in its queue, and no process can keep that from happening; with net.ipv4.tcp_migrate_req (since 5.14, off unless set) the kernel hands
 * them to the others. See docs/decisions/0007-two-processes-one-port.md.
 */
export function migratesConnections(): boolean {
  try {
    return readFileSync(SETTING, 'utf8').trim() === '1';
  } catch {
    // Another system, or an older kernel.
    return false;
  }
}
