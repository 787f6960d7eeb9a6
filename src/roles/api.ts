import { createApp } from '../api/app.ts';
import { byBearerKey, firstKnown } from '../api/codec/operator-of.ts';
import { createSessions } from '../api/console/sessions.ts';
import { operatorsOf } from '../api/http/operators.ts';
import { createRefusedKeys } from '../api/http/refused-keys.ts';
import { createLiveUpdates } from '../api/pages/live.ts';
import type { Config } from '../config.ts';
import { createQueues } from '../queue/provision.ts';
import { createReceiver } from '../queue/receiver.ts';
import { openDb } from '../store/db.ts';
import { endedSessions } from '../store/ended-sessions.ts';
import { createSecretBox } from '../store/secret-box.ts';
import type { Logger } from '../telemetry/log.ts';
import { createPayloadCodec } from '../temporal/payload-codec.ts';
import { Tenants } from '../tenants/commands.ts';
import { connectLinks } from '../tenants/connect-links.ts';
import { watchTemporal } from '../tenants/liveness.ts';
import { registerTenantMetrics } from '../tenants/metrics.ts';
import { ReadModel } from '../tenants/read-model.ts';
import { openDeliveries, type RunningServer } from './deliveries.ts';

/** Operators and pages; ingest has a pool of its own, so that neither keeps the other from a connection. */
const DB_CONNECTIONS = 10;

/**
 * Starts the API in this process: the webhook endpoint, and everything else that is HTTP. It starts and serves what it can whatever of Postgres, SQS
 * and Temporal is out. Throws when the port is taken, and what migrations throw that time does not heal.
 */
export async function startApi(config: Config, log: Logger): Promise<RunningServer> {
  const deliveries = openDeliveries(config, log);
  const { registry, sqs, workflows } = deliveries;
  const { client, connection } = deliveries.temporal;
  const db = openDb(config.DATABASE_URL, { max: DB_CONNECTIONS, name: 'api', log });
  const links = connectLinks(config.SECRET_KEYS);
  registerTenantMetrics(registry, db);
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
    readiness: deliveries.readiness,
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
  return await deliveries.serve((request, response) => void others(request, response), {
    stopFirst: () => {
      live.close();
      temporal.stop();
    },
    closeLast: () => db.close(),
  });
}
