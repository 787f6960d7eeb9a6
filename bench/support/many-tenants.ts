import { Client, Connection } from '@temporalio/client';
import { demoCredentials } from '../../simulator/simulator.ts';
import { readConfig } from '../../src/config.ts';
import { createSqsClients } from '../../src/queue/client.ts';
import { createQueues } from '../../src/queue/provision.ts';
import { adoptCredentials, putCredentials } from '../../src/store/credentials.ts';
import { openDb } from '../../src/store/db.ts';
import { createSecretBox } from '../../src/store/secret-box.ts';
import { createTenant } from '../../src/store/tenants.ts';
import { issueWebhookKey } from '../../src/store/webhook-keys.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { changeTenant } from '../../src/tenants/projection.ts';
import { tuningsOf } from '../../src/tenants/tuning.ts';
import { TenantWorkflows } from '../../src/tenants/workflows.ts';
import type { World } from './world.ts';

/** A tenant whose events a benchmark delivers itself. */
export interface Enrolled {
  readonly tenantId: string;
  readonly url: string;
  readonly key: string;
}

/** So many at once: Temporal's dev server does about a hundred starts a second (measured). */
const AT_ONCE = 8;

/**
 * Connects many tenants to one simulated organization. Gladly allows 20 webhooks an organization, so the onboarding cannot: here its last
 * steps are made with its own functions (queues, adopted credentials, start of the extraction), and a Feeder delivers the events.
 * With `hosts`, each has an address and so a governor of its own; without, all share the one quota.
 */
export async function enroll(
  world: World,
  names: readonly string[],
  { hosts = [], env = {} }: { readonly hosts?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<readonly Enrolled[]> {
  const { api, simulator, databaseUrl } = world.places();
  const config = readConfig(
    {
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: world.temporalAddress,
      SQS_ENDPOINT: world.sqsEndpoint,
      SECRET_KEYS: world.secretKeys(),
      ...env,
    },
    'worker',
  );
  process.env['AWS_ACCESS_KEY_ID'] ??= 'embedded';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'embedded';
  const db = openDb(databaseUrl, { max: AT_ONCE, name: 'bench' });
  const sqs = createSqsClients({ endpoint: world.sqsEndpoint, region: config.AWS_REGION });
  const connection = await Connection.connect({ address: world.temporalAddress });
  const client = new Client({ connection, dataConverter: createDataConverter(config.SECRET_KEYS) });
  const workflows = new TenantWorkflows(client);
  const queues = createQueues(sqs.control, { prefix: config.QUEUE_PREFIX });
  const secretBox = createSecretBox(config.SECRET_KEYS);
  const user = demoCredentials(world.simulatorSeed);

  const enrollOne = async (tenantId: string, host = new URL(simulator).host): Promise<Enrolled> => {
    await createTenant(db, { tenantId, name: tenantId, retentionDays: 4, webhookSetup: 'by_hand' });
    const urls = await queues.provision(tenantId, 4);
    const { key } = await issueWebhookKey(db, tenantId);
    await adoptCredentials(db, tenantId, await putCredentials(db, secretBox, tenantId, { host, ...user }));
    const change = { queueUrl: urls.queue, deadLetterQueueUrl: urls.dead, host };
    await changeTenant(db, tenantId, { ...change, state: 'connected' });
    await workflows.startExtraction({ version: 1, tenantId, tuning: tuningsOf(config).extraction });
    return { tenantId, key, url: `${api}/webhooks/gladly/${tenantId}` };
  };

  try {
    const enrolled: Enrolled[] = [];
    const left = names.map((name, n) => ({ name, host: hosts[n] }));
    const helpers = Array.from({ length: AT_ONCE }, async () => {
      for (let one = left.shift(); one; one = left.shift()) enrolled.push(await enrollOne(one.name, one.host));
    });
    await Promise.all(helpers);
    return enrolled;
  } finally {
    await Promise.allSettled([db.close(), connection.close()]);
    sqs.close();
  }
}
