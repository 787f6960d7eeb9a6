import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import { Client, Connection } from '@temporalio/client';
import { createApp } from '../api/app.ts';
import { byBearerKey, firstKnown } from '../api/codec/operator-of.ts';
import { createSessions } from '../api/console/sessions.ts';
import { operatorsOf } from '../api/http/operators.ts';
import { createRefusedKeys } from '../api/http/refused-keys.ts';
import { createHttpServer } from '../api/http/server.ts';
import { migratesConnections } from '../api/http/shared-port.ts';
import { brokenAnswer } from '../api/ingest/answers.ts';
import { createDeliveryStats } from '../api/ingest/delivery-stats.ts';
import { createIngest, INGEST_DB } from '../api/ingest/ingest.ts';
import { createKeySource } from '../api/ingest/key-source.ts';
import { createLedgerWriter } from '../api/ingest/ledger-writer.ts';
import { createWaker } from '../api/ingest/waker.ts';
import { createLiveUpdates } from '../api/pages/live.ts';
import type { Config } from '../config.ts';
import { createSqsClients } from '../queue/client.ts';
import { createLeanTransport } from '../queue/lean-transport.ts';
import { createQueues } from '../queue/provision.ts';
import { createReceiver } from '../queue/receiver.ts';
import { openDb } from '../store/db.ts';
import { endedSessions } from '../store/ended-sessions.ts';
import { migrate } from '../store/migrate.ts';
import { createSecretBox } from '../store/secret-box.ts';
import type { Logger } from '../telemetry/log.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { createPayloadCodec } from '../temporal/payload-codec.ts';
import { Tenants } from '../tenants/commands.ts';
import { connectLinks } from '../tenants/connect-links.ts';
import { watchTemporal } from '../tenants/liveness.ts';
import { registerLossMetrics } from '../tenants/metrics.ts';
import { recordKeysSeen } from '../tenants/projection.ts';
import { ReadModel } from '../tenants/read-model.ts';
import { TenantWorkflows } from '../tenants/workflows.ts';

/** Operators and pages; ingest has a pool of its own, so that neither keeps the other from a connection. */
const DB_CONNECTIONS = 10;

export interface RunningApi {
  readonly port: number;
  readonly stop: () => void;
  readonly ended: Promise<void>;
}

/** Starts the API in this process. Throws what Temporal or Postgres throw when they are out of reach, and when the port is taken. */
export async function startApi(config: Config, log: Logger): Promise<RunningApi> {
  const db = openDb(config.DATABASE_URL, { max: DB_CONNECTIONS, name: 'api', log });
  const ingestDb = openDb(config.DATABASE_URL, { ...INGEST_DB, log });
  await migrate(db);
  // Connects when it is first used: the API starts, and serves what needs no Temporal, while Temporal is out.
  const connection = Connection.lazy({ address: config.TEMPORAL_ADDRESS });
  const dataConverter = createDataConverter(config.SECRET_KEYS);
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE, dataConverter });
  const sqs = createSqsClients({
    region: config.AWS_REGION,
    ...(config.SQS_ENDPOINT === undefined ? {} : { endpoint: config.SQS_ENDPOINT }),
  });
  const workflows = new TenantWorkflows(client);
  const links = connectLinks(config.SECRET_KEYS);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerLossMetrics(registry, db);

  const tellOnboarding = (tenantId: string): void => {
    workflows
      .webhookSeen(tenantId)
      .catch((error: unknown) =>
        log.warn(
          { event: 'onboarding.signal_failed', err: error, tenantId },
          'onboarding: signal of a delivery failed',
        ),
      );
  };
  const ingest = createIngest({
    keySource: createKeySource(ingestDb),
    transport: createLeanTransport({
      client: sqs.control,
      ...(sqs.settings.endpoint === undefined ? {} : { endpoint: sqs.settings.endpoint }),
    }),
    ledger: createLedgerWriter(ingestDb),
    deliveryStats: createDeliveryStats(
      ingestDb,
      (tenantIds) => tenantIds.forEach(tellOnboarding),
      async (seen) => {
        try {
          for (const tenantId of await recordKeysSeen(ingestDb, seen)) {
            log.warn({ event: 'webhook.key_refused', tenantId }, 'webhook: called with a wrong key');
          }
        } catch (error) {
          log.warn({ event: 'webhook.keys_not_noted', err: error }, 'webhook keys: what was seen was not noted');
        }
      },
    ),
    waker: createWaker(ingestDb, (tenantId) => workflows.wake(tenantId)),
    registry,
    log,
    proxies: config.PROXIES,
  });
  const operators = operatorsOf(config.OPERATOR_KEYS);
  const sessions = createSessions({
    operatorKeys: config.OPERATOR_KEYS,
    secretKeys: config.SECRET_KEYS,
    ended: endedSessions(db),
    secure: config.PUBLIC_URL.startsWith('https:'),
  });
  const live = createLiveUpdates();
  const queues = createQueues(sqs.control, { prefix: config.QUEUE_PREFIX });
  const temporal = watchTemporal((deadlineMs) =>
    client.withDeadline(Date.now() + deadlineMs, () => connection.workflowService.getSystemInfo({})),
  );
  const app = createApp({
    db,
    read: new ReadModel({ db, queues, temporal, share: config.QUOTA_SHARE }),
    tenants: new Tenants({
      db,
      secretBox: createSecretBox(config.SECRET_KEYS),
      queues,
      receiver: createReceiver(sqs),
      workflows,
      links,
      config,
    }),
    operators,
    refusedKeys: createRefusedKeys({ registry, proxies: config.PROXIES }),
    publicUrl: config.PUBLIC_URL,
    checks: {
      database: () => db.query('SELECT 1'),
      temporal: () => client.withDeadline(Date.now() + 2_000, () => connection.workflowService.getSystemInfo({})),
      queue: () => sqs.control.send(new ListQueuesCommand({ MaxResults: 1, QueueNamePrefix: config.QUEUE_PREFIX })),
      webhookKeys: async () => {
        if (!ingest.keys.isLoaded) throw new Error('the webhook keys are not loaded yet');
      },
      accepting: async () => {
        if (server.isShuttingDown) throw new Error('the process is shutting down');
      },
    },
    codec: {
      codec: createPayloadCodec(config.SECRET_KEYS),
      operatorOf: firstKnown(byBearerKey(operators), sessions.operatorOf),
      uiUrl: config.TEMPORAL_UI_URL,
    },
    metrics: registry,
    connect: { links, extraHosts: config.GLADLY_EXTRA_HOSTS },
    console: { config, sessions },
    live,
    log,
  });
  const others = app.callback();
  const server = createHttpServer({
    brokenAnswer,
    onRequest: (request, response) => {
      if (!ingest.handler(request, response)) void others(request, response);
    },
  });
  if (config.API_REUSE_PORT && !migratesConnections()) {
    log.warn(
      { event: 'api.shared_port_resets' },
      'API_REUSE_PORT: needs net.ipv4.tcp_migrate_req=1, or a restart resets connections that are being opened',
    );
  }
  const port = await server.listen(config.API_PORT, config.API_HOST, { reusePort: config.API_REUSE_PORT });

  const over = Promise.withResolvers<void>();
  const stop = (): void => {
    live.close();
    temporal.stop();
    // Requests first, then what they left to write, then what they were written with.
    server
      .shutDown({ delayMs: config.SHUTDOWN_DELAY_MS, graceMs: config.SHUTDOWN_GRACE_MS })
      .then(() => ingest.close())
      .then(() => Promise.allSettled([db.close(), ingestDb.close(), connection.close()]))
      .then(() => sqs.close())
      .then(over.resolve, over.reject);
  };
  return { port, stop, ended: over.promise };
}
