import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startBalancer } from '../../support/ingest/balancer.ts';
import { eventBody, type Ground, openGround, type TestTenant } from '../../support/ingest/endpoint.ts';
import { type Program, runRole } from '../../support/ingest/processes.ts';
import { startSenders } from '../../support/ingest/senders.ts';
import { until } from '../../support/ingest/until.ts';
import { type Line, openLineTo } from '../../support/line.ts';

/** Long enough for the breaker, and for a readiness that believes in an outage after 2 s. */
const OUT_MS = 2_800;
const CONNECTIONS = 10;
const PARTS = ['sqs', 'temporal', 'postgres'] as const;
/** Both serve with the same code, so one of them sees every kind of outage. */
const ROLES = [
  { role: 'api', ways: ['cut', 'hang'] },
  { role: 'ingest', ways: ['cut'] },
] as const;

let ground: Ground;
let tenant: TestTenant;
let lines: Readonly<Record<(typeof PARTS)[number], Line>>;

beforeAll(async () => {
  ground = await openGround();
  tenant = await ground.tenant();
  const [sqs, temporal, postgres] = await Promise.all(
    [ground.endpoint, inject('temporalAddress'), ground.url].map(openLineTo),
  );
  if (!sqs || !temporal || !postgres) throw new Error('no lines');
  lines = { sqs, temporal, postgres };
});
afterAll(async () => {
  for (const line of Object.values(lines)) await line.close();
  await ground.close();
});
beforeEach(() => {
  for (const line of Object.values(lines)) line.mend();
});

async function start(role: (typeof ROLES)[number]['role']): Promise<Program> {
  const database = new URL(ground.url);
  database.port = String(lines.postgres.port);
  const program = await runRole(role, {
    DATABASE_URL: database.href,
    SQS_ENDPOINT: `http://127.0.0.1:${lines.sqs.port}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${lines.temporal.port}`,
    // The webhook endpoint alone has no key of any kind.
    ...(role === 'ingest'
      ? {}
      : {
          OPERATOR_KEYS: randomBytes(24).toString('hex'),
          SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        }),
  });
  onTestFinished(() => program.end('SIGTERM'));
  return program;
}

const ready = async ({ port }: Program) => {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`);
  return { status: answer.status, body: (await answer.json()) as unknown };
};
const deliver = ({ port }: Program) =>
  fetch(`http://127.0.0.1:${port}/webhooks/gladly/${tenant.tenantId}`, {
    method: 'POST',
    headers: { 'x-api-key': tenant.key },
    body: eventBody(),
  });

describe.each(ROLES)('$role behind a balancer that asks whether it is ready', ({ role, ways }) => {
  test('refuses no delivery, whichever part is cut off or hangs', async () => {
    const program = await start(role);
    const balancer = await startBalancer();
    onTestFinished(() => balancer.close());
    balancer.targets.push(program.port);
    await until(() => balancer.isReady(program.port));
    // A new connection each: the balancer decides for each of them.
    const senders = startSenders({
      keepsAlive: false,
      ...tenant,
      port: balancer.port,
      connections: CONNECTIONS,
      gapMs: 20,
      resends: false,
    });
    const found: string[] = [];
    for (const part of PARTS) {
      for (const way of ways) {
        const before = [senders.refused.length, senders.accepted.size] as const;
        lines[part][way]();
        await pause(OUT_MS);
        const { status } = await ready(program);
        lines[part].mend();
        const [refused, accepted] = [senders.refused.slice(before[0]), senders.accepted.size - before[1]];
        if (refused.length > 0 || accepted < CONNECTIONS || status !== 200)
          found.push(`${part} ${way}: ${accepted} accepted, refused ${refused}, ready ${status}`);
        await until(async () => JSON.stringify((await ready(program)).body).includes('"status":"ready"'));
      }
    }
    await senders.stop();
    expect(found).toEqual([]);
    expect(senders.refused).toEqual([]);
  }, 120_000);

  test('is not ready when both that keep deliveries are out', async () => {
    const program = await start(role);
    await until(async () => (await ready(program)).status === 200);
    lines.sqs.cut();
    lines.postgres.cut();
    await until(async () => (await ready(program)).status === 503);
    expect((await ready(program)).body).toMatchObject({
      status: 'not_ready',
      parts: { webhookKeys: 'ok', temporal: 'ok', queue: 'unreachable', database: 'unreachable' },
    });
    lines.postgres.mend();
    await until(async () => (await ready(program)).status === 200);
  }, 60_000);
});

describe.each(ROLES)('$role is started', ({ role, ways }) => {
  test.each(['sqs', 'temporal'] as const)(
    'while %s is out: it takes deliveries',
    async (part) => {
      lines[part].cut();
      const program = await start(role);
      await until(async () => (await ready(program)).status === 200);
      expect((await ready(program)).body).toMatchObject({ status: 'degraded' });
      expect((await deliver(program)).status).toBe(200);
      lines[part].mend();
      await until(async () => JSON.stringify((await ready(program)).body).includes('"status":"ready"'));
    },
    60_000,
  );

  test.each(ways)(
    'while Postgres is out (%s): it asks for patience, and takes up its work by itself',
    async (way) => {
      lines.postgres[way]();
      const program = await start(role);
      expect(await ready(program)).toMatchObject({ status: 503, body: { reasons: { webhookKeys: 'not_loaded' } } });
      const early = await deliver(program);
      expect(early.status).toBe(503);
      expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
      lines.postgres.mend();
      await until(async () => (await ready(program)).status === 200);
      expect((await deliver(program)).status).toBe(200);
    },
    60_000,
  );
});
