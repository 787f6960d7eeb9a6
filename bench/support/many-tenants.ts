import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { Client, Connection } from '@temporalio/client';
import { demoCredentials } from '../../simulator/simulator.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { EXTRACTION_WORKFLOW, type ExtractionInput } from '../../src/contracts/extraction.ts';
import { EXTRACTION_TASK_QUEUE, extractionWorkflowId, webhookUrl } from '../../src/contracts/tenant.ts';
import { createSqsClients, type SqsClients } from '../../src/queue/client.ts';
import { DAY_SECONDS, MAX_RECEIVES, MAX_WAIT_SECONDS, VISIBILITY_SECONDS } from '../../src/queue/limits.ts';
import { deadQueueName, type QueueUrls, queueName } from '../../src/queue/names.ts';
import { createQueues } from '../../src/queue/provision.ts';
import { adoptCredentials, putCredentials } from '../../src/store/credentials.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { createSecretBox } from '../../src/store/secret-box.ts';
import { createTenant } from '../../src/store/tenants.ts';
import { hashWebhookKey, issueWebhookKey } from '../../src/store/webhook-keys.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { changeTenant } from '../../src/tenants/projection.ts';
import { tuningsOf } from '../../src/tenants/tuning.ts';
import { TenantWorkflows } from '../../src/tenants/workflows.ts';
import { carry, initialState } from '../../src/workflows/extraction/reducer.ts';
import { inParallel } from './in-parallel.ts';
import type { World } from './world.ts';

/** A tenant whose events a benchmark delivers itself. */
export interface Enrolled {
  readonly tenantId: string;
  readonly url: string;
  readonly key: string;
}

/** So many at once: Temporal's dev server does about a hundred starts a second (measured). */
const AT_ONCE = 16;
const SLEEPERS_AT_ONCE = 32;
/** Rows of one statement. */
const ROWS = 1_000;
const RETENTION_DAYS = 4;

/** What a tenant's parts are made with. */
interface Tools {
  readonly config: Config;
  readonly db: Db;
  readonly sqs: SqsClients;
  readonly client: Client;
  readonly api: string;
  /** Gladly's, where a tenant has none of its own. */
  readonly host: string;
  /** Credentials as the onboarding would have stored them once they were verified. */
  adopt(tenantId: string, host: string): Promise<void>;
}

async function withTools<T>(world: World, use: (tools: Tools) => Promise<T>): Promise<T> {
  const { api, simulator, databaseUrl } = world.places();
  const config = readConfig(world.productEnv(), 'worker');
  const takeBack = sayWhoWeAre();
  const db = openDb(databaseUrl, { max: AT_ONCE, name: 'bench', statementTimeoutMs: 60_000 });
  const sqs = createSqsClients({ endpoint: world.sqsEndpoint, region: config.AWS_REGION });
  const connection = await Connection.connect({ address: world.temporalAddress });
  const client = new Client({ connection, dataConverter: createDataConverter(config.SECRET_KEYS) });
  const secretBox = createSecretBox(config.SECRET_KEYS);
  const user = demoCredentials(world.simulatorSeed);
  const adopt = async (tenantId: string, host: string): Promise<void> => {
    await adoptCredentials(db, tenantId, await putCredentials(db, secretBox, tenantId, { host, ...user }));
  };
  try {
    return await use({ config, db, sqs, client, api, host: new URL(simulator).host, adopt });
  } finally {
    await Promise.allSettled([db.close(), connection.close()]);
    sqs.close();
    takeBack();
  }
}

/** The AWS SDK will not speak without credentials; a world that inherits some takes them for those of an account of AWS, and has no SQS of its own. */
function sayWhoWeAre(): () => void {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter((name) => process.env[name] === undefined);
  for (const name of names) process.env[name] = 'embedded';
  return () => {
    for (const name of names) delete process.env[name];
  };
}

/**
 * Connects many tenants to one simulated organization. Gladly allows 20 webhooks an organization, so the onboarding cannot: here its last
 * steps are made with its own functions (queues, adopted credentials, start of the extraction), and a Feeder delivers the events.
 * With `hosts`, each has an address and so a governor of its own; without, all share the one quota.
 */
export async function enroll(
  world: World,
  names: readonly string[],
  { hosts = [] }: { readonly hosts?: readonly string[] } = {},
): Promise<readonly Enrolled[]> {
  return await withTools(world, async ({ config, db, sqs, client, api, host: shared, adopt }) => {
    const workflows = new TenantWorkflows(client);
    const queues = createQueues(sqs.control, { prefix: config.QUEUE_PREFIX });
    const enrollOne = async (tenantId: string, n: number): Promise<Enrolled> => {
      const host = hosts[n] ?? shared;
      await createTenant(db, { tenantId, name: tenantId, retentionDays: RETENTION_DAYS, webhookSetup: 'by_hand' });
      const urls = await queues.provision(tenantId, RETENTION_DAYS);
      const { key } = await issueWebhookKey(db, tenantId);
      await adopt(tenantId, host);
      const change = { queueUrl: urls.queue, deadLetterQueueUrl: urls.dead, host };
      await changeTenant(db, tenantId, { ...change, state: 'connected' });
      await workflows.startExtraction({ version: 1, tenantId, tuning: tuningsOf(config).extraction });
      return { tenantId, key, url: webhookUrl(api, tenantId) };
    };
    return await inParallel(names, AT_ONCE, enrollOne);
  });
}

/**
 * Makes tenants that have slept for long, quickly: their rows at once, and extractions that begin as if they had just continued as new, parked.
 * Only the first of them have credentials, one for each of `hosts`, and can extract when an event comes.
 */
export async function enrollAsleep(
  world: World,
  names: readonly string[],
  hosts: readonly string[],
): Promise<readonly Enrolled[]> {
  return await withTools(world, async ({ config, db, sqs, client, api, host, adopt }) => {
    const urls = await inParallel(names, SLEEPERS_AT_ONCE, (tenantId) =>
      quickQueues(sqs, config.QUEUE_PREFIX, tenantId),
    );
    const keys = names.map((tenantId) => `key-of-${tenantId}`.padEnd(43, '-'));
    for (let from = 0; from < names.length; from += ROWS) {
      const part = [from, from + ROWS] as const;
      const some = urls.slice(...part);
      await insertAsleep(db, {
        ids: names.slice(...part),
        hosts: names.slice(...part).map((_, n) => hosts[from + n] ?? host),
        queues: some.map(({ queue }) => queue),
        dead: some.map(({ dead }) => dead),
        hashes: keys.slice(...part).map((key) => hashWebhookKey(key).toString('hex')),
      });
    }
    await inParallel(hosts, AT_ONCE, (own, n) => adopt(names[n] ?? '', own));
    const { extraction: tuning } = tuningsOf(config);
    await inParallel(names, SLEEPERS_AT_ONCE, async (tenantId) => {
      const input: ExtractionInput = { version: 1, tenantId, tuning };
      const state = initialState(input, new Date().toISOString());
      const carried = { ...carry(state), phase: 'parked', awake: false } as const;
      await client.workflow.start(EXTRACTION_WORKFLOW, {
        workflowId: extractionWorkflowId(tenantId),
        taskQueue: EXTRACTION_TASK_QUEUE,
        args: [{ ...input, carried }],
      });
    });
    return names.map((tenantId, n) => ({ tenantId, key: keys[n] ?? '', url: webhookUrl(api, tenantId) }));
  });
}

/** As `Queues.provision` makes them, in two calls instead of seven. */
async function quickQueues(sqs: SqsClients, prefix: string, tenantId: string): Promise<QueueUrls> {
  const make = async (name: string, more: Record<string, string>): Promise<string> => {
    const reading = {
      VisibilityTimeout: String(VISIBILITY_SECONDS),
      ReceiveMessageWaitTimeSeconds: String(MAX_WAIT_SECONDS),
      MessageRetentionPeriod: String(RETENTION_DAYS * DAY_SECONDS),
    };
    const made = await sqs.control.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { ...reading, ...more } }),
    );
    if (made.QueueUrl === undefined) throw new Error(`SQS created the queue ${name} and returned no URL`);
    return made.QueueUrl;
  };
  const deadName = deadQueueName(tenantId, prefix);
  const dead = await make(deadName, {});
  const redrive = {
    deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${deadName}`,
    maxReceiveCount: MAX_RECEIVES,
  };
  return { queue: await make(queueName(tenantId, prefix), { RedrivePolicy: JSON.stringify(redrive) }), dead };
}

interface AsleepRows {
  readonly ids: readonly string[];
  readonly hosts: readonly string[];
  readonly queues: readonly string[];
  readonly dead: readonly string[];
  /** SHA-256 of the webhook keys, in hexadecimal. */
  readonly hashes: readonly string[];
}

async function insertAsleep(db: Db, { ids, hosts, queues, dead, hashes }: AsleepRows): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query(
      `INSERT INTO tenants (tenant_id, incarnation, name, state, retention_days, webhook_setup, host, queue_url, dead_letter_queue_url)
       SELECT id, gen_random_uuid()::text, id, 'connected', $2, 'by_hand', host, queue, dead
       FROM unnest($1::text[], $3::text[], $4::text[], $5::text[]) rows (id, host, queue, dead)`,
      [ids, RETENTION_DAYS, hosts, queues, dead],
    );
    await tx.query('INSERT INTO tenant_counters (tenant_id) SELECT unnest($1::text[])', [ids]);
    await tx.query('INSERT INTO drains (tenant_id, fence, parked_at) SELECT unnest($1::text[]), 1, now()', [ids]);
    // 4: connected, and in need of nothing (GROUPS in src/tenants/standing.ts).
    await tx.query('INSERT INTO tenant_states (tenant_id, need) SELECT unnest($1::text[]), 4', [ids]);
    await tx.query(
      `WITH next AS (UPDATE webhook_key_revision SET revision = revision + 1 RETURNING revision)
       INSERT INTO webhook_keys (key_id, tenant_id, hash, ends_used, revision)
       SELECT 'key-' || id, id, decode(hash, 'hex'), true, next.revision
       FROM next, unnest($1::text[], $2::text[]) rows (id, hash)`,
      [ids, hashes],
    );
  });
}
