import { Registry } from '@prometheus-io/client';
import { startFauxqs } from 'fauxqs';
import { createHttpServer, type HttpServer, type ServerLimits } from '../../../src/api/http/server.ts';
import { brokenAnswer } from '../../../src/api/ingest/answers.ts';
import { createDeliveryStats } from '../../../src/api/ingest/delivery-stats.ts';
import { createIngest, type Ingest, type IngestDeps } from '../../../src/api/ingest/ingest.ts';
import { createKeySource } from '../../../src/api/ingest/key-source.ts';
import { createLedgerWriter } from '../../../src/api/ingest/ledger-writer.ts';
import { createWaker } from '../../../src/api/ingest/waker.ts';
import { createLeanTransport } from '../../../src/queue/lean-transport.ts';
import type { Db } from '../../../src/store/db.ts';
import { createTenant, updateTenant } from '../../../src/store/tenants.ts';
import { issueWebhookKey } from '../../../src/store/webhook-keys.ts';
import { connect, newTenant, type World } from '../queue/queues.ts';
import { openStore, postgresKinds } from '../store/database.ts';

/** The endpoint's dependencies: fauxqs and Postgres. */
export interface Ground {
  readonly db: Db;
  readonly sqs: World;
  readonly endpoint: string;
  /** The connection string of Postgres. */
  readonly url: string;
  /** Ids of tenants that were woken, in order. */
  readonly woken: string[];
  /** Creates a tenant with a queue and a key. */
  tenant(): Promise<TestTenant>;
  close(): Promise<void>;
}

export interface TestTenant {
  readonly tenantId: string;
  readonly key: string;
  readonly keyId: string;
  readonly queue: string;
  readonly dead: string;
}

export async function openGround(postgres = postgresKinds[0]): Promise<Ground> {
  if (postgres === undefined) throw new Error('no Postgres');
  const [store, fauxqs] = await Promise.all([openStore(postgres), startFauxqs({ port: 0, logger: false })]);
  const sqs = connect(fauxqs.address);
  return {
    db: store.db,
    sqs,
    endpoint: fauxqs.address,
    url: store.url,
    woken: [],
    async tenant() {
      const tenantId = newTenant();
      await createTenant(store.db, { tenantId, name: tenantId, retentionDays: 4 });
      const { queue, dead } = await sqs.queues.provision(tenantId, 4);
      await updateTenant(store.db, tenantId, { queueUrl: queue, deadLetterQueueUrl: dead });
      return { tenantId, queue, dead, ...(await issueWebhookKey(store.db, tenantId)) };
    },
    async close() {
      sqs.clients.close();
      await Promise.all([fauxqs.stop(), store.close()]);
    },
  };
}

export interface Endpoint {
  readonly url: string;
  readonly port: number;
  readonly ingest: Ingest;
  readonly server: HttpServer;
  readonly registry: Registry;
  /** Ids of tenants that onboarding was told of, in order. */
  readonly news: string[];
  close(): Promise<void>;
}

/** Starts the endpoint as the API process does. `parts` replaces dependencies, for tests of their failures. */
export async function startEndpoint(
  ground: Ground,
  parts: Partial<IngestDeps> = {},
  limits: Partial<ServerLimits> = {},
): Promise<Endpoint> {
  const registry = new Registry();
  const news: string[] = [];
  const ingest = createIngest({
    keySource: createKeySource(ground.db),
    transport: createLeanTransport({ client: ground.sqs.clients.control, endpoint: ground.endpoint }),
    ledger: createLedgerWriter(ground.db),
    deliveryStats: createDeliveryStats(ground.db, (tenantIds) => news.push(...tenantIds)),
    waker: createWaker(ground.db, async (tenantId) => {
      ground.woken.push(tenantId);
    }),
    registry,
    log: { info: () => undefined, warn: () => undefined },
    proxies: 0,
    ...parts,
  });
  await ingest.keys.refresh().catch(() => undefined);
  const server = createHttpServer(
    {
      brokenAnswer,
      onRequest: (request, response) => {
        if (!ingest.handler(request, response)) response.writeHead(404).end('not ours');
      },
    },
    limits,
  );
  const port = await server.listen(0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ingest,
    server,
    registry,
    news,
    async close() {
      await server.shutDown({ delayMs: 0, graceMs: 500 });
      await ingest.close();
    },
  };
}

/** Sends a delivery as Gladly does. */
export const deliver = (
  endpoint: Endpoint,
  tenant: { readonly tenantId: string; readonly key: string },
  body: string | Uint8Array,
): Promise<Response> =>
  fetch(`${endpoint.url}/webhooks/gladly/${tenant.tenantId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': tenant.key },
    body,
  });

let events = 0;

/** The body of a Gladly event with a new id; `more` overrides its fields. */
export function eventBody(more: Record<string, unknown> = {}): string {
  events += 1;
  return JSON.stringify({
    id: `event-${events}`,
    type: 'CONTACT/MESSAGE_RECEIVED',
    timestamp: '2026-01-05T09:00:00.12Z',
    initiator: { id: 'customer-1', type: 'CUSTOMER' },
    content: {
      channel: 'CHAT',
      contactId: 'c',
      conversationId: `conversation-${events % 7}`,
      customerId: 'customer-1',
      messageId: `m-${events}`,
    },
    ...more,
  });
}
