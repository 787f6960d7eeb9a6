import { PurgeQueueCommand } from '@aws-sdk/client-sqs';
import { createSqsClients, type SqsClients } from '../../src/queue/client.ts';
import { createQueues, type Queues } from '../../src/queue/provision.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createTenant, updateTenant } from '../../src/store/tenants.ts';
import { issueWebhookKey } from '../../src/store/webhook-keys.ts';
import { type Child, start } from './children.ts';
import type { Setting } from './processes/setting.ts';

export interface Tenant {
  readonly tenantId: string;
  readonly key: string;
  readonly queueUrl: string;
  readonly deadUrl: string;
}

/** The SQS emulator and Postgres in their own processes, and tenants with queues and keys. */
export interface Ground {
  readonly tenants: readonly Tenant[];
  readonly sqs: Child;
  readonly db: Db;
  start(program: string, more?: Partial<Setting>): Promise<Child>;
  /** Counts the messages in all queues and empties them. */
  countAndEmpty(): Promise<number>;
  close(): Promise<void>;
}

export async function openGround(tenantCount: number): Promise<Ground> {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  const [sqs, postgres] = await Promise.all([start('sqs'), start('postgres')]);
  const endpoint = `http://127.0.0.1:${sqs.port}`;
  const databaseUrl = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
  const clients: SqsClients = createSqsClients({ endpoint, region: 'us-east-1' });
  const queues: Queues = createQueues(clients.control);
  const db = openDb(databaseUrl, { max: 2, name: 'bench' });
  await migrate(db);
  const tenants: Tenant[] = [];
  for (let n = 0; n < tenantCount; n += 1) {
    const tenantId = `bench-${n}`;
    await createTenant(db, { tenantId, name: tenantId, retentionDays: 4 });
    const { queue, dead } = await queues.provision(tenantId, 4);
    await updateTenant(db, tenantId, { queueUrl: queue, deadLetterQueueUrl: dead });
    const { key } = await issueWebhookKey(db, tenantId);
    tenants.push({ tenantId, key, queueUrl: queue, deadUrl: dead });
  }
  return {
    tenants,
    sqs,
    db,
    start(program, more = {}) {
      const setting: Setting = { sqs: endpoint, databaseUrl, transport: 'lean', tenants, ...more };
      return start(program, { BENCH_SETTING: JSON.stringify(setting) });
    },
    async countAndEmpty() {
      let count = 0;
      for (const { queueUrl, deadUrl } of tenants) {
        count += (await queues.depths({ queue: queueUrl, dead: deadUrl })).queue.waiting;
        await clients.control.send(new PurgeQueueCommand({ QueueUrl: queueUrl }));
      }
      return count;
    },
    async close() {
      clients.close();
      await db.close();
      sqs.kill();
      postgres.kill();
    },
  };
}
