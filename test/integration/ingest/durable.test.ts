import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authenticate } from '../../../src/api/ingest/authenticated.ts';
import { Breaker } from '../../../src/api/ingest/breaker.ts';
import { DeliveryRecorder } from '../../../src/api/ingest/delivery-recorder.ts';
import { createIngestEngine } from '../../../src/api/ingest/engine.ts';
import { createLedgerBatcher } from '../../../src/api/ingest/ledger-batcher.ts';
import type { LedgerWriter } from '../../../src/api/ingest/ports.ts';
import { WakeNotifier } from '../../../src/api/ingest/wake-notifier.ts';
import { createBatchingSender } from '../../../src/queue/batching-sender.ts';
import { decodeDelivery } from '../../../src/queue/envelope.ts';
import type { BatchTransport, SendResult } from '../../../src/queue/sender.ts';

/** The result of a call to SQS or to the ledger. `lost`: it worked, and its answer was lost. */
type Fate = 'works' | 'fails' | 'half' | 'lost' | 'hangs' | 'throws';
const fate = fc.constantFrom<Fate>('works', 'works', 'fails', 'half', 'lost', 'hangs', 'throws');

const TIMEOUT_MS = 15;
const silent = { info: () => undefined, warn: () => undefined };
const lost: SendResult = { kind: 'failed', failure: { kind: 'timeout', code: 'lost' } };
const refused: SendResult = { kind: 'failed', failure: { kind: 'server', code: 'x' } };

/** An SQS and a ledger whose calls have these fates in order, over and over. */
function world(fates: readonly Fate[]) {
  const durable = { queue: new Set<string>(), ledger: new Set<string>() };
  let calls = 0;
  const nextFate = (): Fate => {
    calls += 1;
    return fates[calls % fates.length] ?? 'works';
  };
  const transport: BatchTransport = {
    async sendBatch(_, texts) {
      const mine = nextFate();
      await pause(mine === 'hangs' ? TIMEOUT_MS : calls % 3);
      if (mine === 'throws') throw new Error('x');
      if (mine === 'fails') return texts.map(() => refused);
      return texts.map((text, n): SendResult => {
        if (mine === 'half' && n % 2 === 1) return refused;
        // A call that hung may have worked nevertheless.
        durable.queue.add(decodeDelivery(text)?.body.toString() ?? '');
        return mine === 'works' || mine === 'half' ? { kind: 'accepted' } : lost;
      });
    },
    close: () => Promise.resolve(),
  };
  const ledger: LedgerWriter = {
    async put(rows) {
      const mine = nextFate();
      await pause(mine === 'hangs' ? TIMEOUT_MS * 3 : calls % 3);
      if (mine === 'throws' || mine === 'fails') throw new Error('x');
      const kept = rows.filter((_, n) => mine !== 'half' || n % 2 === 0);
      for (const { body } of kept) durable.ledger.add(body.toString());
      if (mine === 'lost') throw new Error('the connection broke during COMMIT');
      return rows.map((row) => kept.includes(row));
    },
  };
  return { durable, transport, ledger };
}

function engineOn({ transport, ledger }: ReturnType<typeof world>) {
  const breaker = new Breaker(() => undefined, { failures: 3, waitMs: 5, maxWaitMs: 20 });
  return createIngestEngine({
    sender: createBatchingSender(transport, {
      timeoutMs: TIMEOUT_MS,
      maxWaitMs: TIMEOUT_MS,
      maxCalls: 2,
      maxWaiting: 30,
    }),
    breaker,
    ledger: createLedgerBatcher(ledger, () => undefined, {
      timeoutMs: TIMEOUT_MS * 2,
      maxWaiting: 30,
      maxRows: 5,
      slowMs: TIMEOUT_MS / 3,
    }),
    wakes: new WakeNotifier({ wake: () => Promise.reject(new Error('out')) }, silent),
    recorder: new DeliveryRecorder({ record: () => Promise.resolve() }, silent),
    onFailure: () => undefined,
  });
}

const tenant = {
  tenantId: 't',
  queueUrl: 'http://sqs/1/t',
  keys: [{ keyId: 'k', hash: hash('sha256', 'key', 'buffer'), validUntil: Number.POSITIVE_INFINITY }],
};

test('for all results of SQS and ledger, and wherever the process dies: no 200 without a durable event, and always an answer', async () => {
  const caller = authenticate(tenant, 'key', Date.now());
  if (caller === null) throw new Error('no caller');
  const seen = new Set<string>();
  const delivery = fc.record({ waits: fc.nat(4), event: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { minLength: 1, maxLength: 12 }),
      fc.array(delivery, { minLength: 1, maxLength: 80 }),
      async (fates, deliveries) => {
        const ground = world(fates);
        const engine = engineOn(ground);
        const answers: Promise<void>[] = [];
        for (const [n, { waits, event }] of deliveries.entries()) {
          if (waits > 2) await pause(waits);
          const body = event
            ? `{"id":"e${n}","type":"A/B","timestamp":"2026-01-05T09:00:00Z","content":{}}`
            : `no event ${n}`;
          const began = performance.now();
          const answered = engine.take({ caller, body: Buffer.from(body), acceptedAt: 1 }).then((outcome) => {
            // Checked when the answer is known, because the process may die right after it.
            if (outcome === 'queued') expect(ground.durable.queue).toContain(body);
            if (outcome === 'ledgered') expect(ground.durable.ledger).toContain(body);
            seen.add(outcome);
            expect(performance.now() - began).toBeLessThan(10_000);
          });
          answers.push(answered);
        }
        await Promise.all(answers);
      },
    ),
    { numRuns: 150 },
  );
  // The test shows nothing unless all outcomes occurred.
  expect(seen).toEqual(new Set(['queued', 'ledgered', 'nowhere_to_keep']));
});
