import type { LookupFunction } from 'node:net';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { Awake } from '../../../src/activities/drain/awake.ts';
import { createDrain } from '../../../src/activities/drain/drain.ts';
import { keepDrains } from '../../../src/activities/drain/keeper.ts';
import { Notes } from '../../../src/activities/drain/observer.ts';
import { Room } from '../../../src/activities/drain/room.ts';
import { createGladlyAccess } from '../../../src/activities/gladly-access.ts';
import { createOnboardingActivities } from '../../../src/activities/onboarding/activities.ts';
import { createPacedGladly } from '../../../src/activities/onboarding/paced-gladly.ts';
import { createPrune } from '../../../src/activities/sweep/prune.ts';
import { createWatchTenants } from '../../../src/activities/sweep/watch-tenants.ts';
import type { Config } from '../../../src/config.ts';
import type { ExtractionActivities, ExtractionView } from '../../../src/contracts/extraction.ts';
import type { Projection } from '../../../src/contracts/projection.ts';
import { EXTRACTION_TASK_QUEUE, ONBOARDING_TASK_QUEUE } from '../../../src/contracts/tenant.ts';
import { createConnections } from '../../../src/gladly/connect.ts';
import { shareQuota } from '../../../src/gladly/shared-quota.ts';
import { createSqsClients } from '../../../src/queue/client.ts';
import { createQueues } from '../../../src/queue/provision.ts';
import { createReceiver } from '../../../src/queue/receiver.ts';
import { opensCredentials } from '../../../src/store/credentials.ts';
import type { Db } from '../../../src/store/db.ts';
import { orderDrains } from '../../../src/store/drains.ts';
import { exchangeQuotaClaims, withdrawQuotaClaims } from '../../../src/store/quota-claims.ts';
import { createSecretBox } from '../../../src/store/secret-box.ts';
import type { Logger } from '../../../src/telemetry/log.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { recordExtraction } from '../../../src/tenants/projection.ts';
import { tuningsOf } from '../../../src/tenants/tuning.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import { workflowBundle } from '../temporal.ts';

export interface TestWorkerOptions {
  readonly env: TestWorkflowEnvironment;
  readonly config: Config;
  readonly db: Db;
  readonly lookup: LookupFunction | undefined;
  readonly logger: Logger;
  /** Those of another release; absent: those of this commit. */
  readonly workflows?: { readonly code: string };
  /** What a later release does besides, or in another way, given what this one does. */
  readonly later?: (activities: ExtractionActivities) => object;
}

/** The workers of src/roles/worker.ts in this process, with names resolved as the test says. */
export async function startTestWorker(options: TestWorkerOptions): Promise<{ stop(): Promise<void> }> {
  const { env, config, db, lookup, logger: log } = options;
  const sqs = createSqsClients({
    region: config.AWS_REGION,
    ...(config.SQS_ENDPOINT ? { endpoint: config.SQS_ENDPOINT } : {}),
  });
  const connections = createConnections(lookup ? { lookup } : {});
  const name = `${process.pid}@test`;
  const quota = shareQuota({
    share: config.QUOTA_SHARE,
    claims: {
      exchange: (own) => exchangeQuotaClaims(db, name, own),
      withdraw: () => withdrawQuotaClaims(db, name),
    },
    onLost: (error) => log.warn({ event: 'quota.not_shared', err: error }, 'quota: other workers cannot be heard of'),
  });
  const { governors } = quota;
  const secretBox = createSecretBox(config.SECRET_KEYS);
  const extraHosts = config.GLADLY_EXTRA_HOSTS;
  const { TEMPORAL_NAMESPACE: namespace } = config;
  const dataConverter = createDataConverter(config.SECRET_KEYS);
  const client = new Client({ connection: env.connection, namespace, dataConverter });
  const awake = new Awake(config.DRAIN_SLOTS);
  const notes = new Notes(db);
  const workflows = new TenantWorkflows(client);
  const receiver = createReceiver(sqs);
  const queues = createQueues(sqs.control, { prefix: config.QUEUE_PREFIX });
  const shared = {
    connection: env.nativeConnection,
    namespace,
    dataConverter,
    workflowBundle: options.workflows ?? (await workflowBundle()),
    shutdownGraceTime: '1 second',
    shutdownForceTime: '2 seconds',
  } as const;
  const extraction: ExtractionActivities = {
    drain: createDrain({
      db,
      receiver,
      queues,
      gladlyOf: createGladlyAccess({ db, secretBox, connections, governors, extraHosts }),
      limits: {
        budgetMs: config.DRAIN_BUDGET_MS,
        crowdedBudgetMs: config.DRAIN_CROWDED_BUDGET_MS,
        parkAfterMs: config.PARK_AFTER_MS,
        settleMs: 100,
        settleMaxMs: 500,
        patienceMs: config.MISSING_PATIENCE_MS,
        receiveWaitSeconds: 2,
      },
      awake,
      notes,
      worker: name,
      room: new Room(64 * 1024 * 1024),
      log,
    }),
    recordExtraction: (projection: Projection<ExtractionView>) => recordExtraction(db, projection),
    orderStop: (tenantId: string) => orderDrains(db, [tenantId], 'stop'),
  };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: ONBOARDING_TASK_QUEUE,
      maxHeartbeatThrottleInterval: '200 milliseconds',
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
        prune: createPrune({ db, keepDoneMs: 86_400_000, vacuums: false, now: () => new Date() }),
      },
    }),
    Worker.create({
      ...shared,
      taskQueue: EXTRACTION_TASK_QUEUE,
      maxConcurrentActivityTaskExecutions: config.DRAIN_SLOTS,
      activities: { ...extraction, ...options.later?.(extraction) },
    }),
  ]);
  const keeper = keepDrains({ db, awake, notes, worker: name, log });
  const running = workers.map((worker) => worker.run());
  return {
    stop: async () => {
      awake.leave();
      for (const worker of workers) worker.shutdown();
      await Promise.allSettled(running);
      // What its last polls receive goes to the next worker at once.
      await receiver.settled();
      keeper.stop();
      await quota.leave();
      await connections.close();
      sqs.close();
    },
  };
}
