import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** Connections opened at the same time: fewer than the server's backlog, so that none is dropped. */
const AT_ONCE = 500;

/** `polite`: has sent one request, so the server keeps it for its keep-alive time. `silent`: sends nothing. */
export type Idleness = 'polite' | 'silent';

export async function openIdle(port: number, count: number, idleness: Idleness): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Math.min(AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => openOne(port, idleness)))));
  }
  return sockets;
}

function openOne(port: number, idleness: Idleness): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before it was answered')));
    socket.once(idleness === 'polite' ? 'data' : 'connect', () => {
      socket.removeAllListeners('error').removeAllListeners('close');
      // Later errors are counted by the tests, not thrown.
      socket.on('error', () => undefined).resume();
      resolve(socket);
    });
    if (idleness === 'polite') socket.write('GET /health/ready HTTP/1.1\r\nHost: h\r\n\r\n');
  });
}

/** Open files, and thus connections, that this process may have: the hard limit, which node sets as its own. Infinite outside Linux. */
export function openFilesAllowed(): number {
  try {
    const found = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return Number(found?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
