import { connect } from 'node:net';
import type pg from 'pg';

/** Milliseconds that the caller waits for it, and that its connection may take. */
const WAIT_MS = 1_000;
const GIVE_UP_MS = 60_000;
const CANCEL_REQUEST = 80_877_102;
const BYTES = 16;

/**
 * Asks Postgres to end what this connection is executing (CancelRequest, https://www.postgresql.org/docs/17/protocol-flow.html), for a statement that
 * nobody waits for any more. Otherwise it would go on, or wait for a lock, until it is done. Resolves when it
 * was taken or took too long; whether it worked is not told. Close the connection only then: with it a pooler forgets whom to ask.
 */
export async function cancelStatement(
  client: pg.ClientBase,
  { host, port }: Pick<pg.Client, 'host' | 'port'>,
): Promise<void> {
  const { processID, secretKey } = client as { readonly processID?: unknown; readonly secretKey?: unknown };
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const request = Buffer.alloc(BYTES);
  [BYTES, CANCEL_REQUEST, processID, secretKey].forEach((word, at) => {
    request.writeInt32BE(word, at * 4);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  const waited = setTimeout(resolve, WAIT_MS);
  socket.setTimeout(GIVE_UP_MS, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('close', () => resolve());
  // Not ended from here: as libpq does, it waits for the other side to close. PgBouncer 1.18 dies of one that closes first (measured).
  socket.unref().resume().write(request);
  await promise;
  clearTimeout(waited);
}
