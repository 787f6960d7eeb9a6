import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/** Addresses of organizations: one for each tenant, as in life, though a single simulated Gladly answers behind all of them. */
export interface Organizations {
  /** host:port of each. */
  readonly hosts: readonly string[];
  /** Where connections go from now on; until then they are refused. */
  leadTo(simulator: string): void;
  close(): void;
}

export async function openOrganizations(count: number): Promise<Organizations> {
  let target: URL | undefined;
  const servers: Server[] = [];
  for (let n = 0; n < count; n += 1) {
    const server = createServer((socket) => {
      if (target === undefined) {
        socket.destroy();
        return;
      }
      const onward = connect(Number(target.port), target.hostname);
      const end = (): void => {
        socket.destroy();
        onward.destroy();
      };
      socket.on('error', end).on('close', end).pipe(onward);
      onward.on('error', end).on('close', end).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
  return {
    hosts: servers.map((server) => {
      const address = server.address();
      if (typeof address !== 'object' || address === null) throw new Error('a server has no port');
      return `127.0.0.1:${address.port}`;
    }),
    leadTo: (simulator) => {
      target = new URL(simulator);
    },
    close: () => {
      for (const server of servers) server.close();
    },
  };
}
