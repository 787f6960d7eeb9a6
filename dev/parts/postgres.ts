/**
 * Runs alone, as a process of the embedded world: PGlite, served to many connections. Arguments: data folder, port (0: any). POSTGRES_PASSWORD: what
 * clients have to know; not an argument, as everybody on the machine can read those.
 */
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { exitUnhealable, exitWithParent, isPortTaken, tellParentReady } from '../../src/roles/parent.ts';
import { type PostgresServer, servePostgres } from '../postgres/server.ts';

/** A transaction of ours takes milliseconds; one that sits still for this long belongs to a process that hangs. */
const IDLE_IN_TRANSACTION_MS = 15_000;
/** Nobody else writes checkpoints in a single-user Postgres; without them its log grows for ever. */
const CHECKPOINT_EVERY_MS = 60_000;
/** A restart wants the port that its clients know; a connection on its way out may hold it for a moment. */
const PORT_RETRIES = 25;
const PORT_RETRY_MS = 200;

const [folder, wantedPort] = process.argv.slice(2);
if (folder === undefined || wantedPort === undefined) throw new Error('usage: postgres.ts FOLDER PORT');

exitWithParent();
mkdirSync(folder, { recursive: true });
const db = await PGlite.create(folder);
const server = await listen(Number(wantedPort));
setInterval(server.checkpoint, CHECKPOINT_EVERY_MS).unref();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => void stop());
tellParentReady({ port: server.port });

async function listen(port: number, retries = PORT_RETRIES): Promise<PostgresServer> {
  try {
    const password = process.env['POSTGRES_PASSWORD'];
    return await servePostgres({ db, port, password, idleInTransactionMs: IDLE_IN_TRANSACTION_MS, onBroken });
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    if (retries === 0)
      return await exitUnhealable(`Postgres: port ${port} has been taken by another program: start again`);
    await delay(PORT_RETRY_MS);
    return await listen(port, retries - 1);
  }
}

function onBroken(error: unknown): void {
  process.stderr.write(`Postgres broke: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(70);
}

/** Closing writes Postgres' own shutdown checkpoint. */
async function stop(): Promise<void> {
  await server.close();
  await db.close();
  process.exit(0);
}
