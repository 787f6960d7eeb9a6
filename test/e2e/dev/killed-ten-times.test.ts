import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, test } from 'vitest';
import { identify, isAlive, type ProcessId } from '../../../dev/processes.ts';
import { DevWorld } from '../../support/dev-world.ts';

/** What has been acknowledged so far, over all starts. */
interface Written {
  rows: number;
  messages: number;
  readonly workflows: string[];
}

const QUEUE = 'killed-ten-times';

test('killed with SIGKILL in the middle of writes, ten times in a row: it comes up, and has all that was acknowledged', {
  timeout: 400_000,
}, async () => {
  const world = await DevWorld.make();
  const written: Written = { rows: 0, messages: 0, workflows: [] };
  let killed: readonly ProcessId[] = [];
  const comesUpWithAll = async (when: string): Promise<Stores> => {
    world.start();
    await world.saying('The first conversation is stored', 150_000);
    expect(killed.filter(isAlive), `left at ${when}`).toEqual([]);
    const stores = await open(world);
    await holdsAll(stores, written, when);
    return stores;
  };
  for (let time = 1; time <= 10; time += 1) {
    const stores = await comesUpWithAll(`start ${time}`);
    killed = Object.values(world.run()).flatMap(({ pid }) => identify(pid) ?? []);
    const writing = writeUntilItFails(stores, written);
    await new Promise((resolve) => setTimeout(resolve, 400));
    // In turn: the supervisor alone, whose parts then have to end by themselves or be ended by the next start, which comes at once;
    // or everybody but the Temporal server, whose keeper cannot tidy up any more.
    const victims = time % 2 === 0 ? killed.filter(({ pid }) => pid !== world.pidOf('temporal')) : [{ pid: world.pid }];
    for (const { pid } of victims) process.kill(pid, 'SIGKILL');
    // The server that was spared answers until its client hangs up.
    await Promise.all([writing, time % 2 === 0 ? stores.close() : undefined]);
    if (time % 2 !== 0) await stores.close();
  }
  await (await comesUpWithAll('the last start')).close();
  world.signal('SIGINT');
  expect(await world.ended()).toBe(0);
  expect(written.rows).toBeGreaterThan(100);
  expect(written.messages).toBeGreaterThan(100);
  expect(written.workflows.length).toBeGreaterThan(10);
});

interface Stores {
  readonly db: pg.Client;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly temporal: Client;
  close(): Promise<void>;
}

async function open(world: DevWorld): Promise<Stores> {
  const run = world.run();
  const db = new pg.Client(run['postgres']?.url);
  db.on('error', () => undefined);
  await db.connect();
  await db.query('create table if not exists written (n integer primary key, filler text)');
  const sqs = new SQSClient({
    endpoint: run['sqs']?.url ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  const { QueueUrl: queueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: QUEUE }));
  const connection = await Connection.connect({ address: `127.0.0.1:${run['temporal']?.port}` });
  return {
    db,
    sqs,
    queueUrl,
    temporal: new Client({ connection }),
    close: async () => {
      await Promise.allSettled([db.end(), connection.close()]);
      sqs.destroy();
    },
  };
}

/** Writes to all three until each has failed; only what was acknowledged counts. */
async function writeUntilItFails({ db, sqs, queueUrl, temporal }: Stores, written: Written): Promise<void> {
  const untilItFails = async (write: () => Promise<void>): Promise<void> => {
    try {
      for (;;) await write();
    } catch {
      // Killed, as intended.
    }
  };
  await Promise.all([
    untilItFails(async () => {
      await db.query('insert into written values ($1, $2) on conflict do nothing', [written.rows + 1, 'x'.repeat(500)]);
      written.rows += 1;
    }),
    untilItFails(async () => {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: String(written.messages) }));
      written.messages += 1;
    }),
    untilItFails(async () => {
      const workflowId = `written-${written.workflows.length}`;
      const options = { taskQueue: 'nobody', workflowId, workflowIdConflictPolicy: 'USE_EXISTING' as const };
      await temporal.withDeadline(Date.now() + 2_000, () => temporal.workflow.start('nothing', options));
      written.workflows.push(workflowId);
    }),
  ]);
}

async function holdsAll({ db, sqs, queueUrl, temporal }: Stores, written: Written, when: string): Promise<void> {
  const { rows } = await db.query<{ count: number }>('select count(*)::int from written where n <= $1', [written.rows]);
  expect(rows[0]?.count, `rows at ${when}`).toBe(written.rows);
  const attributes = ['ApproximateNumberOfMessages' as const];
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: attributes }),
  );
  // One that was stored, its answer lost with the process, may be there as well.
  expect(Number(Attributes?.['ApproximateNumberOfMessages']), `messages at ${when}`).toBeGreaterThanOrEqual(
    written.messages,
  );
  for (const workflowId of written.workflows) {
    const { status } = await temporal.workflow.getHandle(workflowId).describe();
    expect(status.name, `${workflowId} at ${when}`).toBe('RUNNING');
  }
}
