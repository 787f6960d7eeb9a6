import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what systems hand out to whoever asks for any port (Linux from 32768, others from 49152), and above what is in use by name. One of
 * those could go to a neighbour's connection before its server has started, or while it is killed and comes back.
 */
// fetch and browsers refuse 10080.
const [FIRST, LAST] = [10_100, 32_000];
const TRIES = 100;

const given = new Set<number>();

/** A port of this machine that nobody has, for servers that must be told one, or for nobody. Never the same twice in a process. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`No port between ${FIRST} and ${LAST} is free.`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
