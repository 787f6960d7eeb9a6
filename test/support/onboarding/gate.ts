import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be closed: then connections are taken, and nothing comes back. */
export interface Gate {
  /** Of the way, in the place of the server's own. */
  readonly url: string;
  close(): void;
  /** Breaks what waits, and lets everything through that comes from now on. */
  open(): void;
  end(): Promise<void>;
}

export async function gateTo(target: string): Promise<Gate> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    if (!isOpen) return;
    const onward = connect(Number(port), hostname);
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      isOpen = false;
      breakAll();
    },
    open: () => {
      isOpen = true;
      breakAll();
    },
    end: async () => {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
