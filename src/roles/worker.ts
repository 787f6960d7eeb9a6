import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { Awake } from '../activities/drain/awake.ts';
import { createDrain } from '../activities/drain/drain.ts';
import { keepDrains } from '../activities/drain/keeper.ts';
import { BYTES_IN_MEMORY } from '../activities/drain/limits.ts';
import { Notes } from '../activities/drain/observer.ts';
import { Room } from '../activities/drain/room.ts';
import { createGladlyAccess } from '../activities/gladly-access.ts';
import { createOnboardingActivities } from '../activities/onboarding/activities.ts';
import { createPacedGladly } from '../activities/onboarding/paced-gladly.ts';
import { createPrune } from '../activities/sweep/prune.ts';
import { ensureSweep } from '../activities/sweep/schedule.ts';
import { createWatchTenants } from '../activities/sweep/watch-tenants.ts';
import type { Config } from '../config.ts';
import type { ExtractionView } from '../contracts/extraction.ts';
import type { Projection } from '../contracts/projection.ts';
import { EXTRACTION_TASK_QUEUE, ONBOARDING_TASK_QUEUE } from '../contracts/tenant.ts';
import { createConnections } from '../gladly/connect.ts';
import { shareQuota } from '../gladly/shared-quota.ts';
import { createSqsClients } from '../queue/client.ts';
import { createQueues } from '../queue/provision.ts';
import { createReceiver } from '../queue/receiver.ts';
import { opensCredentials } from '../store/credentials.ts';
import { openDb } from '../store/db.ts';
import { orderDrains } from '../store/drains.ts';
import { migrate } from '../store/migrate.ts';
import { exchangeQuotaClaims, withdrawQuotaClaims } from '../store/quota-claims.ts';
import { createSecretBox } from '../store/secret-box.ts';
import { removeWorker } from '../store/workers.ts';
import type { Logger } from '../telemetry/log.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { refuseUnreadableInput } from '../temporal/unreadable-input.ts';
import { workflowBundle } from '../temporal/workflow-bundle.ts';
import { recordExtraction } from '../tenants/projection.ts';
import { tuningsOf } from '../tenants/tuning.ts';
import { TenantWorkflows } from '../tenants/workflows.ts';

/**
 * Set before Temporal starts its workflow threads, each with a heap of its own: V8 lets every one of them grow to several times what it holds
 * before it cleans up. With 500 tenants the worker had 730 MB, and has 530 MB (one run each).
 */
v8.setFlagsFromString('--max-semi-space-size=4');
v8.setFlagsFromString('--heap-growing-percent=40');

/** After its time of grace an activity is cancelled, which ends it within a moment; what does not end is cut off after this, in ms. */
const CUT_OFF_MS = 1_000;
/** A receive that was given up lasts until SQS ends it, and what it still gets is given back: both in ms. */
const GIVE_BACK_MS = 1_000;

/**
 * Workflows kept in memory. One that is woken and is not there is replayed from its history; so those that are woken often should fit, and
 * a thousand that are parked need not. `npm run bench -- tenants` says what a tenant costs in all.
 */
const CACHED_EXTRACTIONS = 250;
const CACHED_ONBOARDINGS = 50;

/** How often the Schedule of the sweep is looked at: it may be deleted or paused in Temporal. One call. */
const SWEEP_LOOK_MS = 60_000;

/** Drains write one after the other, each in short transactions; this many at a time keep Postgres busy. */
const DB_CONNECTIONS = 20;

/** A worker at work, until `stop` is called or it fails. */
export interface RunningWorker {
  readonly stop: () => void;
  /** Resolves when all is over; rejects when a worker failed. */
  readonly ended: Promise<void>;
}

/** Starts the workers of both task queues in this process. Throws what Temporal or Postgres throw when they are out of reach. */
export async function startWorker(config: Config, log: Logger): Promise<RunningWorker> {
  Runtime.install({ logger: temporalLogger(log) });
  const db = openDb(config.DATABASE_URL, { max: DB_CONNECTIONS, name: 'worker', log });
  await migrate(db);
  const address = config.TEMPORAL_ADDRESS;
  const [connection, clientConnection] = await Promise.all([
    NativeConnection.connect({ address }),
    Connection.connect({ address }),
  ]);
  const dataConverter = createDataConverter(config.SECRET_KEYS);
  const client = new Client({ connection: clientConnection, namespace: config.TEMPORAL_NAMESPACE, dataConverter });
  const workflows = new TenantWorkflows(client);
  const sqs = createSqsClients({
    region: config.AWS_REGION,
    ...(config.SQS_ENDPOINT === undefined ? {} : { endpoint: config.SQS_ENDPOINT }),
  });
  const queues = createQueues(sqs.control, { prefix: config.QUEUE_PREFIX });
  const connections = createConnections();
  const name = `${process.pid}@${hostname()}`;
  const quota = shareQuota({
    share: config.QUOTA_SHARE,
    unlimited: config.QUOTA_UNLIMITED,
    claims: {
      exchange: (own) => exchangeQuotaClaims(db, name, own),
      withdraw: () => withdrawQuotaClaims(db, name),
    },
    onLost: (error) => log.warn({ event: 'quota.not_shared', err: error }, 'quota: other workers cannot be heard of'),
  });
  const { governors } = quota;
  const secretBox = createSecretBox(config.SECRET_KEYS);
  const extraHosts = config.GLADLY_EXTRA_HOSTS;

  const receiver = createReceiver(sqs);
  const awake = new Awake(config.DRAIN_SLOTS);
  const notes = new Notes(db);

  const shared: Pick<
    WorkerOptions,
    | 'connection'
    | 'namespace'
    | 'dataConverter'
    | 'interceptors'
    | 'workflowBundle'
    | 'shutdownGraceTime'
    | 'shutdownForceTime'
  > = {
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    dataConverter,
    interceptors: { activity: [refuseUnreadableInput] },
    workflowBundle: await workflowBundle(config.WORKFLOW_BUNDLE),
    shutdownGraceTime: config.WORKER_GRACE_MS,
    shutdownForceTime: config.WORKER_GRACE_MS + CUT_OFF_MS,
  };
  await ensureSearchAttributes(clientConnection, config.TEMPORAL_NAMESPACE);
  await ensureSweep(client, config.SWEEP_MS);
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: ONBOARDING_TASK_QUEUE,
      // A cancellation reaches these activities with their heartbeats. They are few, and over within seconds.
      maxHeartbeatThrottleInterval: '500 milliseconds',
      maxCachedWorkflows: CACHED_ONBOARDINGS,
      maxConcurrentActivityTaskExecutions: config.ONBOARDING_SLOTS,
      activities: {
        ...createOnboardingActivities({
          db,
          secretBox,
          queues,
          gladly: createPacedGladly({ governors, connections }),
          workflows,
          extraHosts,
          publicUrl: config.PUBLIC_URL,
          now: () => new Date(),
        }),
        watchTenants: createWatchTenants({
          db,
          queues,
          workflows,
          tunings: tuningsOf(config),
          opens: (tenantId) => opensCredentials(db, secretBox, tenantId),
          log,
          now: () => new Date(),
        }),
        prune: createPrune({
          db,
          keepDoneMs: config.LEDGER_KEEP_DAYS * 86_400_000,
          vacuums: config.VACUUM === 'true',
          now: () => new Date(),
        }),
      },
    }),
    Worker.create({
      ...shared,
      taskQueue: EXTRACTION_TASK_QUEUE,
      maxCachedWorkflows: CACHED_EXTRACTIONS,
      maxConcurrentActivityTaskExecutions: config.DRAIN_SLOTS,
      activities: {
        drain: createDrain({
          db,
          receiver,
          queues,
          gladlyOf: createGladlyAccess({ db, secretBox, connections, governors, extraHosts }),
          limits: {
            budgetMs: config.DRAIN_BUDGET_MS,
            crowdedBudgetMs: config.DRAIN_CROWDED_BUDGET_MS,
            parkAfterMs: config.PARK_AFTER_MS,
            settleMs: config.SETTLE_MS,
            settleMaxMs: config.SETTLE_MAX_MS,
            patienceMs: config.MISSING_PATIENCE_MS,
            receiveWaitSeconds: config.RECEIVE_WAIT_SECONDS,
          },
          awake,
          notes,
          worker: name,
          room: new Room(BYTES_IN_MEMORY),
          log,
        }),
        recordExtraction: (projection: Projection<ExtractionView>) => recordExtraction(db, projection),
        orderStop: (tenantId: string) => orderDrains(db, [tenantId], 'stop'),
      },
    }),
  ]);

  const keeper = keepDrains({ db, awake, notes, worker: name, log });
  const keepSweeping = setInterval(() => {
    ensureSweep(client, config.SWEEP_MS).then(
      (isPaused) => {
        if (isPaused) log.warn({ event: 'sweep.paused' }, 'sweep: its Schedule is paused in Temporal');
      },
      (error: unknown) =>
        log.warn({ event: 'sweep.not_ensured', err: error }, 'sweep: its Schedule could not be looked at'),
    );
  }, SWEEP_LOOK_MS);
  let stoppedAt: number | null = null;
  const stop = (): void => {
    stoppedAt ??= performance.now();
    awake.leave();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const running = workers.map((worker) => worker.run().finally(stop));
  const ended = Promise.allSettled(running).then(async (results) => {
    keeper.stop();
    clearInterval(keepSweeping);
    // Receives that were given up: what they still get would be hidden from the next drain.
    const lastsMs = Math.min(config.RECEIVE_WAIT_SECONDS * 1_000, config.WORKER_GRACE_MS) + GIVE_BACK_MS;
    const leftMs = Math.max(0, (stoppedAt ?? 0) + lastsMs - performance.now());
    await Promise.race([receiver.settled(), sleep(leftMs)]);
    await quota.leave();
    await removeWorker(db, name).catch(() => undefined);
    await Promise.allSettled([connections.close(), db.close(), clientConnection.close(), connection.close()]);
    sqs.close();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  });
  return { stop, ended };
}

/** Temporal's SDK logs through ours. Its fields name workflows and activities, never their payloads. */
function temporalLogger(log: Logger): NonNullable<Parameters<typeof Runtime.install>[0]['logger']> {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  const write = (level: keyof typeof levels, message: string, meta: object = {}) => {
    // Pino writes an error out under `err` only.
    const { error, ...fields } = meta as { readonly error?: unknown };
    log[levels[level]](error === undefined ? fields : { ...fields, err: error }, message);
  };
  return {
    log: (level, message, meta) => write(level, message, meta),
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}
