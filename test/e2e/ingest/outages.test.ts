import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeDelivery } from '../../../src/queue/envelope.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { createTenant, updateTenant } from '../../../src/store/tenants.ts';
import { issueWebhookKey } from '../../../src/store/webhook-keys.ts';
import { openPart, type Part, type Program, runApi } from '../../support/ingest/processes.ts';
import { type Senders, startSenders } from '../../support/ingest/senders.ts';
import { connect, type World } from '../../support/queue/queues.ts';

/** A store may be out for two minutes without a loss (OUTAGE_MS=120000); a few seconds take the same code paths. */
const OUTAGE_MS = Number(process.env['OUTAGE_MS'] ?? 3_000);
/** For the outage and for reading the queue afterwards: two minutes leave 50,000 messages. */
const TEST_MS = 4 * OUTAGE_MS + 60_000;
const READERS = 8;
const TENANT = 'outage';
/** Longest time to an answer: see LEDGER.timeoutMs in src/api/ingest/ledger-batcher.ts. Gladly waits 15 s. */
const LIMIT_MS = 10_000;
/** Longer than a call to SQS may take, and than a statement. */
const HANG_MS = 3_000;

let sqs: Part;
let postgres: Part;
let db: Db;
let world: World;
let api: Program;
let tenant: { readonly tenantId: string; readonly key: string };
let urls: { readonly queue: string; readonly dead: string };

beforeAll(async () => {
  [sqs, postgres] = await Promise.all([openPart('sqs'), openPart('postgres')]);
  const databaseUrl = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
  const endpoint = `http://127.0.0.1:${sqs.port}`;
  db = openDb(databaseUrl, { max: 2, name: 'test' });
  await migrate(db);
  world = connect(endpoint);
  urls = await world.queues.provision(TENANT, 4);
  await createTenant(db, { tenantId: TENANT, name: TENANT, retentionDays: 4 });
  await updateTenant(db, TENANT, { queueUrl: urls.queue });
  tenant = { tenantId: TENANT, key: (await issueWebhookKey(db, TENANT)).key };
  api = await runApi(endpoint, databaseUrl);
});
afterAll(async () => {
  await api.end('SIGKILL');
  world.clients.close();
  await db.close();
  await Promise.all([sqs.close(), postgres.close()]);
});

interface Way {
  readonly out: (part: Part) => void | Promise<void>;
  readonly back: (part: Part) => void | Promise<void>;
}
const KILLED: Way = { out: (part) => part.kill(), back: (part) => part.start() };
/** Connections are not refused, so every time limit is waited for. */
const HANGING: Way = { out: (part) => part.hang(), back: (part) => part.goOn() };

/** Sends deliveries before, during and after an outage of these parts. */
async function during(parts: readonly Part[], { out, back }: Way = KILLED, outMs = OUTAGE_MS): Promise<Senders> {
  const senders = startSenders({ ...tenant, port: api.port, connections: 20, gapMs: 40, resends: true });
  await pause(1_000);
  await Promise.all(parts.map(out));
  await pause(outMs);
  await Promise.all(parts.map(back));
  await pause(2_000);
  await senders.stop();
  return senders;
}

/** Ids of accepted events that are neither in the queue nor in the ledger. Deletes the messages of the queue. */
async function lost(accepted: ReadonlySet<string>): Promise<string[]> {
  const found = new Set<string>();
  const readAll = async (): Promise<void> => {
    for (;;) {
      const messages = await world.receiver.receive(urls.queue, { max: 10, waitSeconds: 0 });
      if (messages.length === 0) return;
      for (const { body } of messages) {
        found.add((JSON.parse(decodeDelivery(body)?.body.toString() ?? '{}') as { id: string }).id);
      }
      const handles = messages.map(({ receiptHandle }) => receiptHandle);
      expect(await world.receiver.deleteBatch(urls.queue, handles)).toEqual([]);
    }
  };
  await Promise.all(Array.from({ length: READERS }, readAll));
  const { rows } = await db.query<{ id: string }>('SELECT event_id AS id FROM events WHERE tenant_id = $1', [TENANT]);
  // The ledger is keyed by event id: none can be in it twice.
  for (const { id } of rows) found.add(id);
  return [...accepted].filter((id) => !found.has(id));
}

test(
  'SQS is killed under load: nothing is refused, nothing is lost',
  async () => {
    const senders = await during([sqs]);
    expect(senders.refused).toEqual([]);
    expect(senders.accepted.size).toBeGreaterThan(300);
    expect(senders.slowestMs).toBeLessThan(10_000);
    expect(await lost(senders.accepted)).toEqual([]);
    const { rows } = await db.query<{ direct: number }>(
      `SELECT count(*) AS direct FROM events WHERE tenant_id = $1 AND way = 'direct'`,
      [TENANT],
    );
    expect(rows[0]?.direct).toBeGreaterThan(50);
  },
  TEST_MS,
);

test(
  'Postgres is killed under load: nothing is refused, nothing is lost',
  async () => {
    const senders = await during([postgres]);
    expect(senders.refused).toEqual([]);
    expect(senders.accepted.size).toBeGreaterThan(300);
    expect(await lost(senders.accepted)).toEqual([]);
  },
  TEST_MS,
);

test(
  'both are killed: what is refused is refused with 503, and comes again',
  async () => {
    const senders = await during([sqs, postgres]);
    expect(new Set(senders.refused)).toEqual(new Set(['503']));
    expect(senders.accepted.size).toBeGreaterThan(300);
    expect(await lost(senders.accepted)).toEqual([]);
  },
  TEST_MS,
);

test.each(['sqs', 'postgres'] as const)(
  '%s hangs under load: nothing is refused, nothing is lost',
  async (name) => {
    const senders = await during([{ sqs, postgres }[name]], HANGING, HANG_MS);
    expect(senders.refused).toEqual([]);
    expect(senders.accepted.size).toBeGreaterThan(100);
    expect(senders.slowestMs).toBeLessThan(LIMIT_MS + 500);
    expect(await lost(senders.accepted)).toEqual([]);
  },
  60_000,
);

test('both hang: 503 within ten seconds, and it comes again', async () => {
  // Twice the limit: each connection is refused before the breaker opens, and its resend after that.
  const senders = await during([sqs, postgres], HANGING, 2 * LIMIT_MS);
  expect(new Set(senders.refused)).toEqual(new Set(['503']));
  expect(senders.refused).toHaveLength(20);
  // 500 ms for the machine.
  expect(senders.slowestMs).toBeLessThan(LIMIT_MS + 500);
  expect(await lost(senders.accepted)).toEqual([]);
}, 60_000);
