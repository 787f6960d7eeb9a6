import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { Registry } from '@prometheus-io/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { startFauxqs } from 'fauxqs';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createWatchTenants, type WatchDeps } from '../../../src/activities/sweep/watch-tenants.ts';
import type { ExtractionView } from '../../../src/contracts/extraction.ts';
import type { OnboardingTuning } from '../../../src/contracts/onboarding.ts';
import { problem } from '../../../src/contracts/problems.ts';
import type { WatchReport } from '../../../src/contracts/sweep.ts';
import { createQueues, type Queues } from '../../../src/queue/provision.ts';
import { listActions } from '../../../src/store/actions.ts';
import { beginDrain, markParked } from '../../../src/store/drains.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { readTenantFacts } from '../../../src/store/tenant-states.ts';
import { getTenant, updateTenant } from '../../../src/store/tenants.ts';
import { registerTenantMetrics } from '../../../src/tenants/metrics.ts';
import { recordExtraction } from '../../../src/tenants/projection.ts';
import { redrive } from '../../../src/tenants/redrive.ts';
import { extractionInput } from '../../support/extraction.ts';
import { connect, type World } from '../../support/queue/queues.ts';
import { at, event } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const DAY_MS = 86_400_000;

let emulator: Awaited<ReturnType<typeof startFauxqs>>;
let sqs: World;
let queues: Queues;
beforeAll(async () => {
  emulator = await startFauxqs({ port: 0, logger: false });
  sqs = connect(emulator.address);
  queues = createQueues(sqs.clients.control, { prefix: 'watch-' });
});
afterAll(async () => {
  sqs.clients.close();
  await emulator.stop();
});

const PAUSED: ExtractionView = {
  phase: 'paused',
  since: at(0).toISOString(),
  pause: { by: 'ann', reason: 'asked', at: at(0).toISOString() },
  disconnect: null,
  problem: null,
  warning: null,
  nextTryAt: null,
  unknownSignals: 0,
  lastUnknownSignal: null,
};

const never = async (): Promise<never> => {
  throw new Error('nothing is the matter with the workflows here');
};
/** Workflows that all run; test/integration/temporal/put-right.test.ts has those that do not. */
const UNTOUCHED = {
  survey: async () => ({ open: { has: () => true } as unknown as ReadonlySet<string>, reported: new Set<string>() }),
  examine: never,
  terminate: never,
  startOnboarding: never,
  startExtraction: never,
  cancel: never,
  submitCredentials: never,
  tuneOnboarding: never,
  tuneExtraction: async () => undefined,
};

describeStore('the watch over all tenants', (store) => {
  /** A tenant with queues, and a watch that looks at it. */
  async function watched(state: 'connecting' | 'connected' = 'connected') {
    const tenantId = await store.tenant();
    const { queue, dead } = await queues.provision(tenantId, 4);
    await updateTenant(store.db, tenantId, { queueUrl: queue, deadLetterQueueUrl: dead, state });
    const told: string[] = [];
    const lines: { readonly event: string; readonly code?: string }[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    /** Temporal as it is when all is well, or with what it answers instead. */
    const look = async (
      afterMs = 0,
      temporal: Partial<WatchDeps['workflows']> = {},
      asked = queues,
    ): Promise<WatchReport> => {
      const watch = createWatchTenants({
        db: store.db,
        queues: asked,
        workflows: {
          ...UNTOUCHED,
          wake: async (id) => void (id === tenantId && told.push('wake')),
          archive: async (id) => void (id === tenantId && told.push('archive')),
          warn: async (id, problem) => void (id === tenantId && told.push(`warn ${problem?.code ?? 'nothing'}`)),
          ...temporal,
        },
        tunings: { own: {} as OnboardingTuning, extraction: extractionInput('').tuning },
        opens: async () => true,
        log,
        now: () => new Date(Date.now() + afterMs),
      });
      const report: WatchReport = await new MockActivityEnvironment().run(watch);
      return report;
    };
    return {
      tenantId,
      queue,
      dead,
      told,
      look,
      send: (to: string, body = 'waits') =>
        sqs.clients.control.send(new SendMessageCommand({ QueueUrl: to, MessageBody: body })),
      drop: (url: string) => sqs.clients.control.send(new DeleteQueueCommand({ QueueUrl: url })),
      findings: async () => (await readTenantFacts(store.db, tenantId))?.findings ?? [],
      logged: (name: string) => lines.flatMap((line) => (line.event === name ? [line.code] : [])),
      tenant: () => getTenant(store.db, tenantId),
      days: async () => {
        const asked = { QueueUrl: queue, AttributeNames: ['MessageRetentionPeriod' as const] };
        const { Attributes } = await sqs.clients.control.send(new GetQueueAttributesCommand(asked));
        return Number(Attributes?.MessageRetentionPeriod) / 86_400;
      },
      metric: async (code: string) => {
        const registry = new Registry();
        registerTenantMetrics(registry, store.db);
        const found = new RegExp(`tenant_findings\\{code="${code}"\\} (\\d+)`).exec(await registry.metrics());
        return Number(found?.[1]);
      },
    };
  }

  const DOWN = async (): Promise<never> => {
    throw new Error('Temporal does not answer');
  };
  const OUT = { wake: DOWN, archive: DOWN, warn: DOWN };

  it.each(['connecting', 'connected'] as const)('sees to it that no event of a %s tenant expires', async (state) => {
    const { queue, told, look, send, tenant } = await watched(state);
    await send(queue);
    expect(await look(3.9 * DAY_MS)).toMatchObject({ failed: 0 });
    expect((await tenant())?.retentionDays).toBe(14);
    expect(told.includes('wake')).toBe(state === 'connected');
  });

  it('needs no workflow for it: a paused tenant whose workflow is wedged is kept longer, and the alert stands', async () => {
    const { tenantId, queue, told, look, send, tenant, days } = await watched();
    await recordExtraction(store.db, { tenantId, runId: 'r', seq: 1, view: PAUSED, tuning: {} });
    await send(queue);
    expect((await look(3 * DAY_MS, OUT)).failed).toBeGreaterThan(0);
    expect(await days()).toBe(14);
    await look(12 * DAY_MS, OUT);
    expect(await tenant()).toMatchObject({ retentionDays: 14, retentionAlert: 80, retentionAlertTold: 0 });
    // As soon as Temporal answers, the extraction is told, once.
    await look(12 * DAY_MS);
    const warning = problem('events_expire', { percent: 85, at: at(0).toISOString() });
    const says = (seq: number, view: ExtractionView) =>
      recordExtraction(store.db, { tenantId, runId: 'r', seq, view, tuning: {} });
    await says(2, { ...PAUSED, warning });
    await look(12 * DAY_MS);
    expect(told.filter((it) => it.startsWith('warn'))).toEqual(['warn events_expire']);
    // Begun anew or reset, it says nothing of it any more, and is told once more.
    await says(3, PAUSED);
    await look(12 * DAY_MS);
    expect(told.filter((it) => it.startsWith('warn'))).toEqual(['warn events_expire', 'warn events_expire']);
    expect(await tenant()).toMatchObject({ retentionAlert: 80, retentionAlertTold: 80 });
  });

  it('looks into an extraction that is said to run while no drain is at work, whether Temporal reports it or not', async () => {
    const { tenantId, look, findings } = await watched();
    const view: ExtractionView = { ...PAUSED, phase: 'running', pause: null };
    await recordExtraction(store.db, { tenantId, runId: 'r', seq: 1, view, tuning: {} });
    const fence = await beginDrain(store.db, tenantId, 'a worker');
    const wedged = { state: 'wedged', reason: 'it does not fit' } as const;
    // A drain was at work just now: nobody is asked.
    expect((await look(0)).failed).toBe(0);
    await look(151_000, { examine: async () => wedged });
    expect(await findings()).toMatchObject([{ code: 'workflow_wedged', params: { reason: 'it does not fit' } }]);
    await look(151_000, { examine: async () => ({ state: 'well' }) });
    expect(await findings()).toEqual([]);
    await markParked(store.db, tenantId, fence);
    expect((await look(151_000)).failed).toBe(0);
  });

  it('tells that events wait where no drain is at work to tell it, and takes it back', async () => {
    const { tenantId, look, findings } = await watched();
    const view = { ...PAUSED, phase: 'running', pause: null } as const;
    await recordExtraction(store.db, { tenantId, runId: 'r', seq: 1, view, tuning: {} });
    await takeIn(store.db, tenantId, [event('e1', 'c1', new Date())]);
    await look();
    expect(await findings()).toEqual([]);
    const since = "first_taken_at = now() - interval '3 min'";
    await store.db.query(`UPDATE pending_conversations SET ${since} WHERE tenant_id = $1`, [tenantId]);
    await look();
    expect(await findings()).toMatchObject([{ code: 'events_stalled', params: { minutes: 3 } }]);
    await recordExtraction(store.db, { tenantId, runId: 'r', seq: 2, view: PAUSED, tuning: {} });
    await look();
    expect(await findings()).toEqual([]);
  });

  it('keeps messages as long as it says, whoever has changed the queue', async () => {
    const { queue, look, days, logged } = await watched();
    const Attributes = { MessageRetentionPeriod: '60' };
    await sqs.clients.control.send(new SetQueueAttributesCommand({ QueueUrl: queue, Attributes }));
    await look();
    expect(await days()).toBe(4);
    expect(logged('queue.retention_mended')).toHaveLength(1);
    await look();
    expect(logged('queue.retention_mended')).toHaveLength(1);
  });

  it('tells again what a process that died had not told, and takes back what it told', async () => {
    const { queue, told, look, send, tenant } = await watched();
    await updateTenant(store.db, (await tenant())?.tenantId ?? '', { retentionDays: 14 });
    await send(queue);
    // Dies between noting the alert and telling it.
    await look(8 * DAY_MS, { warn: DOWN });
    expect(await tenant()).toMatchObject({ retentionAlert: 50, retentionAlertTold: 0 });
    await look(8 * DAY_MS);
    expect(told).toContain('warn events_expire');
    const { Messages = [] } = await sqs.clients.control.send(new ReceiveMessageCommand({ QueueUrl: queue }));
    for (const { ReceiptHandle } of Messages)
      await sqs.clients.control.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }));
    await look(8 * DAY_MS, { warn: DOWN });
    expect(await tenant()).toMatchObject({ retentionAlert: 0, retentionAlertTold: 50 });
    await look(8 * DAY_MS);
    expect(told.at(-1)).toBe('warn nothing');
    expect(await tenant()).toMatchObject({ retentionAlert: 0, retentionAlertTold: 0 });
  });

  it.each(['queue', 'dead'] as const)(
    'tells at once that a queue is gone (%s), and makes it anew when it is still',
    async (which) => {
      const one = await watched();
      await one.drop(one[which]);
      await one.look();
      expect(await one.findings()).toMatchObject([{ code: 'queue_missing', since: expect.any(String) }]);
      expect(one.logged('tenant.finding_raised')).toEqual(['queue_missing']);
      expect(await one.metric('queue_missing')).toBe(1);
      expect(await queues.find(one.tenantId)).toBeNull();
      await one.look();
      expect(await queues.find(one.tenantId)).toEqual({ queue: one.queue, dead: one.dead });
      expect(await listActions(store.db, one.tenantId, { limit: 1 })).toMatchObject([
        { action: 'queue_made_anew', by: 'system' },
      ]);
      expect(await one.findings()).toEqual([]);
      expect(await one.metric('queue_missing')).toBe(0);
      await one.look();
      expect(one.logged('tenant.finding_raised')).toEqual(['queue_missing']);
    },
  );

  it('tells of dead letters and rejected events, how many, until a redrive has brought them back', async () => {
    const one = await watched();
    await one.send(one.dead, 'no delivery');
    await one.send(
      one.dead,
      '{"v":1,"at":1,"key":"k","json":{"id":"d","type":"CONVERSATION/CLOSED","timestamp":"2026-01-01T00:00:00Z","content":{"conversationId":"c"}}}',
    );
    await one.look();
    const [dead] = await one.findings();
    expect(dead).toMatchObject({ code: 'dead_letters_waiting', params: { count: 2 } });
    expect((await one.tenant())?.retentionAlert).toBe(0);
    expect(one.logged('tenant.finding_raised')).toEqual(['dead_letters_waiting']);
    expect(await one.metric('dead_letters_waiting')).toBe(1);

    const world = { db: store.db, queues, receiver: sqs.receiver };
    await redrive(world, one.tenantId, one, { dryRun: false });
    await one.look();
    // The one that is no delivery is in the ledger now, and somebody has to look.
    expect(await one.findings()).toMatchObject([{ code: 'events_rejected', params: { count: 1 } }]);
    await takeIn(store.db, one.tenantId, [event('x', null, at(0), { state: 'rejected', reason: 'not_json' })]);
    await one.look();
    expect(await one.findings()).toMatchObject([{ code: 'events_rejected', params: { count: 2 } }]);
    expect(one.logged('tenant.finding_raised')).toEqual(['dead_letters_waiting', 'events_rejected']);
    expect(one.logged('tenant.finding_withdrawn')).toEqual(['dead_letters_waiting']);
  });

  it('tells that SQS refuses a queue, with its code, and takes it back when it does not any more', async () => {
    const one = await watched();
    const refuses = createServer((_, response) => {
      response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#AccessDeniedException' }));
    }).listen(0, '127.0.0.1');
    await once(refuses, 'listening');
    const { port } = z.object({ port: z.number() }).parse(refuses.address());
    const denied = connect(`http://127.0.0.1:${port}`);
    await one.look(0, {}, createQueues(denied.clients.control, { prefix: 'watch-' }));
    expect(await one.findings()).toMatchObject([{ code: 'queue_refused', params: { code: 'AccessDeniedException' } }]);
    expect(one.logged('tenant.finding_raised')).toContain('queue_refused');
    await one.look();
    expect(await one.findings()).toEqual([]);
    denied.clients.close();
    refuses.close();
  });

  it('says nothing of a queue while SQS as a whole is out', async () => {
    const one = await watched();
    const nowhere = connect('http://127.0.0.1:1');
    const report = await one.look(0, {}, createQueues(nowhere.clients.control, { prefix: 'watch-' }));
    expect(report.failed).toBeGreaterThan(0);
    expect(await one.findings()).toEqual([]);
    nowhere.clients.close();
  });
});
