import { setTimeout as pause } from 'node:timers/promises';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import { Client, Connection } from '@temporalio/client';
import { Readiness } from '../api/http/readiness.ts';
import { createHttpServer, type HttpServerDeps } from '../api/http/server.ts';
import { migratesConnections } from '../api/http/shared-port.ts';
import { brokenAnswer } from '../api/ingest/answers.ts';
import { createDeliveryStats } from '../api/ingest/delivery-stats.ts';
import { createIngest, INGEST_DB } from '../api/ingest/ingest.ts';
import { createKeySource } from '../api/ingest/key-source.ts';
import { createLedgerWriter } from '../api/ingest/ledger-writer.ts';
import { createWaker } from '../api/ingest/waker.ts';
import type { Config } from '../config.ts';
import { createSqsClients, type SqsClients } from '../queue/client.ts';
import { createLeanTransport } from '../queue/lean-transport.ts';
import { openDb } from '../store/db.ts';
import { readTenantFacts } from '../store/tenant-states.ts';
import { assertWritable } from '../store/writable.ts';
import type { Logger } from '../telemetry/log.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { recordKeysSeen } from '../tenants/projection.ts';
import { awaitsDeliveries } from '../tenants/standing.ts';
import { TenantWorkflows } from '../tenants/workflows.ts';
import { keepMigrating } from './migration.ts';

/** Listening waits this long for the migrations, in milliseconds, so that a first request finds its tables; then it begins without them. */
const MIGRATION_WAIT_MS = 2_000;
const TEMPORAL_DEADLINE_MS = 2_000;

export interface RunningServer {
  readonly port: number;
  readonly stop: () => void;
  /** Resolves when all is over; rejects when the process cannot do what it is there for, and will not. */
  readonly ended: Promise<void>;
}

/** The webhook endpoint in this process, with what it is made of. The role adds what else it serves, and listens. */
export interface Deliveries {
  readonly registry: Registry;
  readonly sqs: SqsClients;
  readonly temporal: { readonly client: Client; readonly connection: Connection };
  readonly workflows: TenantWorkflows;
  readonly readiness: Readiness;
  /**
   * Listens; deliveries are answered here, and `others` answers all other requests. Postgres, SQS and Temporal need not be there. `stopFirst` ends
   * what would keep connections open, `closeLast` closes what requests were served with. Rejects when the port cannot be had, or the migrations fail.
   */
  serve(
    others: HttpServerDeps['onRequest'],
    hooks?: { readonly stopFirst?: () => void; readonly closeLast?: () => Promise<unknown> },
  ): Promise<RunningServer>;
}

/** Builds the webhook endpoint. Connects to nothing yet, and does not throw when something is out of reach. */
export function openDeliveries(config: Config, log: Logger): Deliveries {
  const db = openDb(config.DATABASE_URL, { ...INGEST_DB, log });
  // Connects when it is first used: the process starts, and serves what needs no Temporal, while Temporal is out.
  const connection = Connection.lazy({ address: config.TEMPORAL_ADDRESS });
  const client = new Client({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    // Signals of deliveries carry no payload, so the webhook endpoint alone runs without any key.
    ...(config.SECRET_KEYS.length === 0 ? {} : { dataConverter: createDataConverter(config.SECRET_KEYS) }),
  });
  const workflows = new TenantWorkflows(client);
  const sqs = createSqsClients({
    region: config.AWS_REGION,
    ...(config.SQS_ENDPOINT === undefined ? {} : { endpoint: config.SQS_ENDPOINT }),
  });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const tellOnboarding = (tenantId: string): void => {
    readTenantFacts(db, tenantId)
      .then((facts) => (facts && awaitsDeliveries(facts) ? workflows.webhookSeen(tenantId) : undefined))
      .catch((error: unknown) =>
        log.warn(
          { event: 'onboarding.signal_failed', err: error, tenantId },
          'onboarding: signal of a delivery failed',
        ),
      );
  };
  const ingest = createIngest({
    keySource: createKeySource(db),
    transport: createLeanTransport({
      client: sqs.control,
      ...(sqs.settings.endpoint === undefined ? {} : { endpoint: sqs.settings.endpoint }),
    }),
    ledger: createLedgerWriter(db),
    deliveryStats: createDeliveryStats(
      db,
      (tenantIds) => tenantIds.forEach(tellOnboarding),
      async (seen) => {
        try {
          for (const tenantId of await recordKeysSeen(db, seen)) {
            log.warn({ event: 'webhook.key_refused', tenantId }, 'webhook: called with a wrong key');
          }
        } catch (error) {
          log.warn({ event: 'webhook.keys_not_noted', err: error }, 'webhook keys: what was seen was not noted');
        }
      },
    ),
    waker: createWaker(db, (tenantId) => workflows.wake(tenantId)),
    registry,
    log,
    proxies: config.PROXIES,
  });
  const migrationDb = openDb(config.DATABASE_URL, { max: 1, name: 'migration', log });
  const migration = keepMigrating(migrationDb, log);
  // Whoever serves waits for it; until then it is nobody's.
  migration.done.catch(() => undefined);
  let isShuttingDown = false;
  const readiness = new Readiness(
    {
      own: {
        webhookKeys: () => (ingest.keys.isLoaded ? null : 'not_loaded'),
        // Shown only: it changes with the next delivery, which would not come to a process that is not ready.
        sending: () => (ingest.isSqsOut ? 'breaker_open' : null),
        accepting: () => (isShuttingDown ? 'shutting_down' : null),
      },
      remote: {
        database: async () => {
          await assertWritable(db);
          if (!migration.isDone) throw new NotMigratedError('The migrations of this release are not done yet');
        },
        queue: () => sqs.control.send(new ListQueuesCommand({ MaxResults: 1, QueueNamePrefix: config.QUEUE_PREFIX })),
        temporal: () =>
          client.withDeadline(Date.now() + TEMPORAL_DEADLINE_MS, () => connection.workflowService.getSystemInfo({})),
      },
      // A delivery is kept in SQS or in Postgres. Temporal is only told that something waits, and the sweep finds what it was not told.
      needs: [['webhookKeys'], ['accepting'], ['queue', 'database']],
    },
    log,
  );

  return {
    registry,
    sqs,
    temporal: { client, connection },
    workflows,
    readiness,
    async serve(others, { stopFirst = () => undefined, closeLast = async () => undefined } = {}) {
      await Promise.race([migration.done, pause(MIGRATION_WAIT_MS)]);
      const server = createHttpServer(
        {
          brokenAnswer,
          onRequest: (request, response) => {
            if (!ingest.handler(request, response)) others(request, response);
          },
        },
        { keepAliveMs: config.KEEP_ALIVE_MS, headersTimeoutMs: config.HEADERS_TIMEOUT_MS },
      );
      if (config.API_REUSE_PORT && !migratesConnections()) {
        log.warn(
          { event: 'api.shared_port_resets' },
          'API_REUSE_PORT: needs net.ipv4.tcp_migrate_req=1, or a restart resets connections that are being opened',
        );
      }
      const port = await server.listen(config.API_PORT, config.API_HOST, { reusePort: config.API_REUSE_PORT });
      const over = Promise.withResolvers<void>();
      migration.done.finally(() => migrationDb.close()).catch(over.reject);
      const stop = (): void => {
        isShuttingDown = true;
        migration.stop();
        stopFirst();
        // Requests first, then what they left to write, then what they were written with.
        server
          .shutDown({ delayMs: config.SHUTDOWN_DELAY_MS, graceMs: config.SHUTDOWN_GRACE_MS })
          .then(() => ingest.close())
          .then(() => Promise.allSettled([closeLast(), db.close(), connection.close()]))
          .then(() => sqs.close())
          .then(over.resolve, over.reject);
      };
      return { port, stop, ended: over.promise };
    },
  };
}

class NotMigratedError extends Error {
  override readonly name = 'NotMigratedError';
}
