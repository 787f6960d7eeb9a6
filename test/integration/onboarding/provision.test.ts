import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { provision } from '../../../src/activities/onboarding/provision.ts';
import { createQueues } from '../../../src/queue/provision.ts';
import { getTenant, updateTenant } from '../../../src/store/tenants.ts';
import { dyingQueues } from '../../support/queue/dying-queues.ts';
import { connect, type World } from '../../support/queue/queues.ts';
import { describeStore } from '../../support/store/store-suite.ts';

let emulator: Awaited<ReturnType<typeof startFauxqs>>;
let sqs: World;
beforeAll(async () => {
  emulator = await startFauxqs({ port: 0, logger: false });
  sqs = connect(emulator.address);
});
afterAll(async () => {
  sqs.clients.close();
  await emulator.stop();
});

describeStore('the step that makes the queues', (store) => {
  const step = (queues = sqs.queues) => {
    const deps = { db: store.db, queues, now: () => new Date() };
    return provision(deps);
  };

  it('keeps events as long as the tenant says now, whatever the workflow was started with', async () => {
    const tenantId = await store.tenant();
    expect(await step()({ tenantId, retentionDays: 4 })).toMatchObject({ kind: 'done' });
    await updateTenant(store.db, tenantId, { retentionDays: 14 });
    // A reset of the workflow repeats its first input.
    const again = await step()({ tenantId, retentionDays: 4 });
    expect(again.evidence).toMatchObject([{ answered: 'there; events are kept 14 days' }]);
  });

  it('waits out a queue that was just deleted, and takes no dying one', async () => {
    const aws = await dyingQueues(emulator.address, 1_000);
    const { clients, queues } = connect(aws.endpoint);
    const tenantId = await store.tenant();
    await step(queues)({ tenantId, retentionDays: 4 });
    await queues.remove(tenantId);
    await updateTenant(store.db, tenantId, { queueUrl: null });
    const refused = await step(queues)({ tenantId, retentionDays: 4 });
    expect(refused).toMatchObject({ kind: 'retry', problem: { code: 'queue_deleted_recently' }, retryAfterMs: 10_000 });
    expect((await getTenant(store.db, tenantId))?.queueUrl).toBeNull();
    await expect
      .poll(() => step(queues)({ tenantId, retentionDays: 4 }), { timeout: 10_000 })
      .toMatchObject({ kind: 'done' });
    clients.close();
    await aws.close();
  });

  it('leaves a queue of somebody else alone, and says so', async () => {
    const tenantId = await store.tenant();
    const others = createQueues(sqs.clients.control, { prefix: `idiomatic-gladly-${tenantId.slice(0, 3)}` });
    await others.provision(tenantId.slice(3), 9);
    const refused = await step()({ tenantId, retentionDays: 4 });
    expect(refused).toMatchObject({ kind: 'retry', problem: { code: 'queue_foreign' } });
    expect((await getTenant(store.db, tenantId))?.queueUrl).toBeNull();
  });
});
