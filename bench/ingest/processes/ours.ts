/** The endpoint as the API process has it: keys, ledger, delivery stats and wakes in Postgres, events in SQS. */
import { Registry } from '@prometheus-io/client';
import { createHttpServer } from '../../../src/api/http/server.ts';
import { brokenAnswer } from '../../../src/api/ingest/answers.ts';
import { createDeliveryStats } from '../../../src/api/ingest/delivery-stats.ts';
import { createIngest, INGEST_DB } from '../../../src/api/ingest/ingest.ts';
import { createKeySource } from '../../../src/api/ingest/key-source.ts';
import { createLedgerWriter } from '../../../src/api/ingest/ledger-writer.ts';
import { createWaker } from '../../../src/api/ingest/waker.ts';
import { createSqsClients } from '../../../src/queue/client.ts';
import { createLeanTransport } from '../../../src/queue/lean-transport.ts';
import { openDb } from '../../../src/store/db.ts';
import { createSdkTransport } from '../../../test/support/queue/sdk-transport.ts';
import { serveUsage } from './child.ts';
import { readSetting } from './setting.ts';

const { sqs, databaseUrl, transport } = readSetting();
const db = openDb(databaseUrl, INGEST_DB);
const clients = createSqsClients({ endpoint: sqs, region: 'us-east-1' });
const registry = new Registry();
const ingest = createIngest({
  keySource: createKeySource(db),
  ledger: createLedgerWriter(db),
  deliveryStats: createDeliveryStats(db, () => undefined),
  waker: createWaker(db, () => Promise.resolve()),
  transport:
    transport === 'sdk'
      ? createSdkTransport(clients.control)
      : createLeanTransport({ client: clients.control, endpoint: sqs }),
  registry,
  log: { info: () => undefined, warn: () => undefined },
  proxies: 0,
});
await ingest.keys.refresh();
const server = createHttpServer({
  brokenAnswer,
  onRequest: (request, response) => {
    if (!ingest.handler(request, response)) response.writeHead(404).end();
  },
});
serveUsage(await server.listen(0, '127.0.0.1'));
