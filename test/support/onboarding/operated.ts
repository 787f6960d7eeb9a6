import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { z } from 'zod';
import { createWatchTenants } from '../../../src/activities/sweep/watch-tenants.ts';
import { readConfig } from '../../../src/config.ts';
import type { ExtractionTuning } from '../../../src/contracts/extraction.ts';
import { extractionWorkflowId, onboardingWorkflowId } from '../../../src/contracts/tenant.ts';
import { createSqsClients } from '../../../src/queue/client.ts';
import { createQueues } from '../../../src/queue/provision.ts';
import { opensCredentials } from '../../../src/store/credentials.ts';
import { createSecretBox } from '../../../src/store/secret-box.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { tuningsOf } from '../../../src/tenants/tuning.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import type { TestGladly } from './gladly.ts';
import { createTenant, credentialsOf, type TestTenant } from './tenant.ts';
import type { World } from './world.ts';

const coded = z.object({ code: z.string() }).loose();
/** What an operator is told of a tenant. */
const looked = z.object({
  state: z.string().nullable(),
  connection: z.string(),
  events: z.object({ waiting: z.number(), inQueue: z.number().nullable(), extracted: z.number() }).loose(),
  problem: z.string().nullable(),
  findings: z.array(coded),
  extraction: z
    .object({
      state: z.string(),
      pause: z.object({ reason: z.string(), at: z.string() }).loose().nullable(),
      problem: coded.nullable(),
    })
    .loose()
    .nullable(),
  onboarding: z
    .object({
      state: z.string(),
      webhookSetup: z.string(),
      steps: z.array(z.object({ name: z.string(), stuckSince: z.string().nullable() }).loose()),
    })
    .loose()
    .nullable(),
});
type Looked = z.infer<typeof looked>;

/** A client of the world's Temporal that can read what is encrypted there. */
export const clientOf = ({ variables, env }: World): Client =>
  new Client({
    connection: env.connection,
    namespace: env.namespace ?? 'default',
    dataConverter: createDataConverter(readConfig(variables, 'api').SECRET_KEYS),
  });

/** One look at all tenants, as the Schedule has it done, with the settings and keys of the world or with others. */
export async function sweepOnce(
  world: World,
  client: Client,
  changed: Partial<ExtractionTuning> = {},
  keys = readConfig(world.variables, 'api').SECRET_KEYS,
): Promise<void> {
  const config = readConfig(world.variables, 'api');
  const sqs = createSqsClients({ region: config.AWS_REGION, endpoint: world.sqsEndpoint });
  const tunings = tuningsOf(config);
  const watch = createWatchTenants({
    db: world.db,
    queues: createQueues(sqs.control, { prefix: config.QUEUE_PREFIX }),
    workflows: new TenantWorkflows(client),
    tunings: { ...tunings, extraction: { ...tunings.extraction, ...changed } },
    opens: (tenantId) => opensCredentials(world.db, createSecretBox(keys), tenantId),
    log: pino({ level: 'silent' }),
    now: () => new Date(),
  });
  // Temporal's lists lag a moment behind.
  await sleep(1_500);
  await new MockActivityEnvironment().run(watch);
  sqs.close();
}

/** A tenant as an operator sees and steers it. */
export function operated(world: World, client: Client, { id }: TestTenant, gladly: TestGladly) {
  const path = `/v1/tenants/${id}`;
  const look = async () => looked.parse(await world.api('GET', path));
  const until = async (what: string, wanted: (now: Looked) => boolean, ms = 20_000) => {
    for (const end = Date.now() + ms; ; await sleep(100)) {
      const now = await look();
      if (wanted(now)) return now;
      if (Date.now() > end) throw new Error(`${id}, ${what}: not within ${ms} ms; last: ${JSON.stringify(now)}`);
    }
  };
  return {
    gladly,
    id,
    path,
    look,
    until,
    pause: async () => {
      await world.api('POST', `${path}/pause`, { reason: 'they asked' });
      return until('paused', ({ extraction }) => extraction?.state === 'paused');
    },
    onboarding: client.workflow.getHandle(onboardingWorkflowId(id)),
    extraction: client.workflow.getHandle(extractionWorkflowId(id)),
  };
}

export type Operated = ReturnType<typeof operated>;

/** A new tenant that is connected to this organization and extracts. */
export async function connected(world: World, client: Client, gladly: TestGladly): Promise<Operated> {
  const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
  await tenant.give(credentialsOf(gladly));
  await tenant.until(({ onboarding, extraction }) => onboarding.state === 'done' && extraction !== null);
  return operated(world, client, tenant, gladly);
}
