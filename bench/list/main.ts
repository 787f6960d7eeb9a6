/** `npm run bench -- list`: how fast the list of 10,000 tenants answers, and what open pages ask of Temporal. Debian's Postgres is needed beside PGlite. */
import { RealPostgres } from '../../dev/real-postgres.ts';
import { report } from '../support/report.ts';
import { measureList, measureQueries } from './measure.ts';

await report('list', async (say) => {
  const embedded = await measureList({ name: 'list_10k_ms', tenants: 10_000 }, say);
  const postgres = await RealPostgres.start();
  try {
    const real = await measureList({ name: 'list_10k_postgres_ms', tenants: 10_000, databaseUrl: postgres.url }, say);
    return [embedded, real, await measureQueries(60_000, say)];
  } finally {
    await postgres.end();
  }
});
