import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface WantedPort {
  readonly port: number;
  /** The environment variable that moves it. */
  readonly variable: string;
  readonly what: string;
}

/** A process that was just killed holds its ports until the last of its threads is gone: milliseconds after it is counted as dead. */
const PATIENCE_MS = 1_000;
const LOOK_MS = 50;

/** One line for each port that cannot be had, saying which variable moves it; empty when all are free. */
export async function takenPorts(wanted: readonly WantedPort[]): Promise<readonly string[]> {
  const until = performance.now() + PATIENCE_MS;
  let taken = await takenNow(wanted);
  while (taken.length > 0 && performance.now() < until) {
    await delay(LOOK_MS);
    taken = await takenNow(wanted);
  }
  return taken;
}

async function takenNow(wanted: readonly WantedPort[]): Promise<readonly string[]> {
  const lines = await Promise.all(
    wanted.map(async ({ port, variable, what }, at) => {
      const twin = wanted.slice(0, at).find((other) => other.port === port);
      if (twin !== undefined) return `port ${port} is given twice, to ${twin.what} and to ${what}: change ${variable}`;
      return (await isFree(port)) ? undefined : `port ${port} for ${what} is taken: set ${variable} to another`;
    }),
  );
  return lines.filter((line) => line !== undefined);
}

/** Somebody who listens on all interfaces does not everywhere stop us from listening on one: so ask both ways. */
async function isFree(port: number): Promise<boolean> {
  return (await canListen(port)) && !(await answers(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** True when somebody accepts a connection on that port of 127.0.0.1. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

/** A port of 127.0.0.1 that nobody has just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
