import { readFileSync } from 'node:fs';

const SETTING = '/proc/sys/net/ipv4/tcp_migrate_req';

/**
 * True when Linux moves connections that are not accepted yet to another process that listens on the same port (net.ipv4.tcp_migrate_req, since
 * 5.14, off by default). Otherwise it resets them when the process in whose queue they wait stops listening (SO_REUSEPORT gives each
 * process its own queue), and the process cannot prevent that. See docs/decisions/0007-two-processes-one-port.md.
 */
export function migratesConnections(): boolean {
  try {
    return readFileSync(SETTING, 'utf8').trim() === '1';
  } catch {
    // Not Linux, or an older kernel.
    return false;
  }
}
