import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';

/** A TCP connection for bytes that an HTTP client would not send. */
export interface RawConnection {
  readonly socket: Socket;
  write(text: string | Uint8Array): void;
  /** All bytes received until the other side closed, or until `ms` have passed. */
  answer(ms?: number): Promise<string>;
  /** All bytes received so far. */
  received(): string;
  readonly isClosed: boolean;
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset is no error here: tests look at the bytes before it.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    write: (text) => void socket.write(text),
    received: () => Buffer.concat(chunks).toString('latin1'),
    get isClosed() {
      return closed;
    },
    answer: (ms = 20_000) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          resolve(Buffer.concat(chunks).toString('latin1'));
        };
        const timer = setTimeout(done, ms);
        if (closed) done();
        else socket.once('close', done);
      }),
  };
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
