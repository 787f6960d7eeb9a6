/** An API process with only the webhook endpoint and its readiness, for tests that end and kill processes. */
import { Registry } from '@prometheus-io/client';
import { createHttpServer } from '../../../../src/api/http/server.ts';
import { brokenAnswer } from '../../../../src/api/ingest/answers.ts';
import { createDeliveryStats } from '../../../../src/api/ingest/delivery-stats.ts';
import { createIngest, INGEST_DB } from '../../../../src/api/ingest/ingest.ts';
import { createKeySource } from '../../../../src/api/ingest/key-source.ts';
import { createLedgerWriter } from '../../../../src/api/ingest/ledger-writer.ts';
import { createWaker } from '../../../../src/api/ingest/waker.ts';
import { createSqsClients } from '../../../../src/queue/client.ts';
import { createLeanTransport } from '../../../../src/queue/lean-transport.ts';
import { openDb } from '../../../../src/store/db.ts';

const [sqs = '', databaseUrl = '', delayMs = '0', sharedPort = '0', keepAliveMs = '620000'] = process.argv.slice(2);
const db = openDb(databaseUrl, INGEST_DB);
const clients = createSqsClients({ endpoint: sqs, region: 'us-east-1' });
const registry = new Registry();
const ingest = createIngest({
  keySource: createKeySource(db),
  ledger: createLedgerWriter(db),
  deliveryStats: createDeliveryStats(db, () => undefined),
  waker: createWaker(db, () => Promise.resolve()),
  transport: createLeanTransport({ client: clients.control, endpoint: sqs }),
  registry,
  log: { info: () => undefined, warn: () => undefined },
  proxies: 0,
});
const server = createHttpServer(
  {
    brokenAnswer,
    onRequest: (request, response) => {
      if (ingest.handler(request, response)) return;
      const isReady = request.url === '/health/ready' && ingest.keys.isLoaded && !server.isShuttingDown;
      response.writeHead(isReady ? 200 : 503).end();
    },
  },
  { keepAliveMs: Number(keepAliveMs) },
);
await ingest.keys.refresh();
process.once('SIGTERM', async () => {
  await server.shutDown({ delayMs: Number(delayMs), graceMs: 5_000 });
  await ingest.close();
  clients.close();
  await db.close();
  process.exit(0);
});
let connections = 0;
server.nodeServer.on('connection', (socket) => {
  connections += 1;
  socket.once('close', () => {
    connections -= 1;
  });
});
process.on('message', (asked) => {
  if (asked === 'memory') process.send?.({ rssBytes: process.memoryUsage.rss(), connections });
});
process.on('disconnect', () => process.exit(1));
const port = Number(sharedPort);
process.send?.({ port: await server.listen(port, '127.0.0.1', { reusePort: port > 0 }) });
