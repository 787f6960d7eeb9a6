import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { MockActivityEnvironment } from '@temporalio/testing';
import { startFauxqs } from 'fauxqs';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWatchTenants } from '../../../src/activities/sweep/watch-tenants.ts';
import { createSqsClients, type SqsClients } from '../../../src/queue/client.ts';
import { createQueues } from '../../../src/queue/provision.ts';
import { getTenant, updateTenant } from '../../../src/store/tenants.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const DAY_MS = 86_400_000;

let emulator: Awaited<ReturnType<typeof startFauxqs>>;
let sqs: SqsClients;
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  emulator = await startFauxqs({ port: 0, logger: false });
  sqs = createSqsClients({ endpoint: emulator.address, region: 'us-east-1' });
});
afterAll(async () => {
  sqs.close();
  await emulator.stop();
});

describeStore('the watch over all tenants', (store) => {
  it.each(['connecting', 'connected'] as const)('sees to it that no event of a %s tenant expires', async (state) => {
    const tenantId = await store.tenant();
    const queues = createQueues(sqs.control, { prefix: 'watch-' });
    const { queue, dead } = await queues.provision(tenantId, 4);
    await updateTenant(store.db, tenantId, { queueUrl: queue, deadLetterQueueUrl: dead, state });
    await sqs.control.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: 'waits' }));
    const told: string[] = [];
    const watch = createWatchTenants({
      db: store.db,
      queues,
      // A tenant that is being connected has no extraction yet: nobody is there to be told.
      workflows: {
        wake: async (id) => void told.push(`wake ${id}`),
        archive: async () => undefined,
        warn: async () => undefined,
      },
      log: pino({ level: 'silent' }),
      now: () => new Date(Date.now() + 3.9 * DAY_MS),
    });
    const report = await new MockActivityEnvironment().run(watch);
    expect(report).toMatchObject({ failed: 0 });
    expect((await getTenant(store.db, tenantId))?.retentionDays).toBe(14);
    expect(told.includes(`wake ${tenantId}`)).toBe(state === 'connected');
  });
});
