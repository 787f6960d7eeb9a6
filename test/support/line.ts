import { connect, createServer, type Socket } from 'node:net';

/** A TCP line to a server of this machine that a test can break, so that the server is out for who is behind it. */
export interface Line {
  readonly port: number;
  /** Connections end, and new ones are reset. */
  cut(): void;
  /** Connections stay and new ones are taken, and nothing goes through any more. */
  hang(): void;
  /** As new. What was held while it hung goes through. */
  mend(): void;
  close(): Promise<void>;
}

export async function openLine(target: { readonly host: string; readonly port: number }): Promise<Line> {
  let state: 'whole' | 'cut' | 'hanging' = 'whole';
  const sockets = new Set<Socket>();
  const join = (client: Socket): void => {
    const server = connect(target);
    sockets.add(server);
    server.on('error', () => undefined);
    server.on('close', () => {
      sockets.delete(server);
      client.destroy();
    });
    client.on('close', () => server.destroy());
    client.pipe(server).pipe(client);
    if (state === 'hanging') server.pause();
  };
  const listener = createServer((client) => {
    if (state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    sockets.add(client);
    client.on('error', () => undefined);
    client.on('close', () => sockets.delete(client));
    if (state === 'whole') join(client);
    else waiting.add(client);
  });
  const waiting = new Set<Socket>();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
    waiting.clear();
  };
  return {
    port: address.port,
    cut() {
      state = 'cut';
      end();
    },
    hang() {
      state = 'hanging';
      for (const socket of sockets) socket.pause();
    },
    mend() {
      state = 'whole';
      for (const socket of sockets) socket.resume();
      for (const client of waiting) if (!client.destroyed) join(client);
      waiting.clear();
    },
    async close() {
      end();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

export const openLineTo = (address: string): Promise<Line> => {
  const { hostname: host, port } = new URL(address.includes('://') ? address : `tcp://${address}`);
  return openLine({ host, port: Number(port) });
};
