/** The embedded Postgres, in memory. */
import { PGlite } from '@electric-sql/pglite';
import { servePostgres } from '../../../dev/postgres/server.ts';
import { serveUsage } from './child.ts';

const db = await PGlite.create();
const server = await servePostgres({
  db,
  port: 0,
  idleInTransactionMs: 15_000,
  onBroken: (error) => {
    throw error;
  },
});
serveUsage(server.port);
