import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A TCP load balancer: new connections go to the ready targets in turn. Each target's readiness is checked every HEALTH_EVERY_MS. */
export interface Balancer {
  readonly port: number;
  /** Ports. */
  targets: number[];
  isReady(port: number): boolean;
  close(): Promise<void>;
}

const HEALTH_EVERY_MS = 50;

export async function startBalancer(): Promise<Balancer> {
  const ready = new Set<number>();
  const sockets = new Set<Socket>();
  let turn = 0;
  let closed = false;
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const candidates = [...ready];
    const port = candidates[turn % candidates.length];
    turn += 1;
    if (port === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    }
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const balancer: Balancer = {
    port: (server.address() as AddressInfo).port,
    targets: [],
    isReady: (port) => ready.has(port),
    async close() {
      closed = true;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const check = async (port: number): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { headers: { connection: 'close' } }).catch(
      () => null,
    );
    if (answer?.status === 200 && balancer.targets.includes(port)) ready.add(port);
    else ready.delete(port);
  };
  // Each target has its own loop, so that a slow answer does not delay the checks of the others.
  const watched = new Set<number>();
  const watch = async (port: number): Promise<void> => {
    watched.add(port);
    while (!closed && (ready.has(port) || balancer.targets.includes(port))) {
      await check(port);
      await pause(HEALTH_EVERY_MS);
    }
    watched.delete(port);
  };
  const watchAll = async (): Promise<void> => {
    while (!closed) {
      for (const port of balancer.targets) if (!watched.has(port)) void watch(port);
      await pause(HEALTH_EVERY_MS);
    }
  };
  void watchAll();
  return balancer;
}
