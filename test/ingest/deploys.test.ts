import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDelivery } from '../../src/queue/envelope.ts';
import { receiveAll } from '../queue/support.ts';
import { startBalancer } from './support/balancer.ts';
import { type Ground, openGround } from './support/endpoint.ts';
import { type Program, runApi } from './support/processes.ts';
import { startSenders } from './support/senders.ts';
import { until } from './support/until.ts';

/** The issue asks for 20; each takes three seconds, so that many are run on demand. */
const RESTARTS = Number(process.env['RESTARTS'] ?? 4);

/** Many times the balancer's interval: it shares two cores with all the rest. */
const NOTICE_MS = 1_000;

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

const start = (noticeMs: number): Promise<Program> => runApi(ground.endpoint, ground.url, noticeMs);

const stored = async (queue: string): Promise<Set<string>> => {
  const bodies = (await receiveAll(ground.sqs.receiver, queue)).map(({ body }) => openDelivery(body)?.body.toString());
  return new Set(bodies.map((body) => (JSON.parse(body ?? '{}') as { id: string }).id));
};

describe('SIGTERM under load', () => {
  test(
    `two processes behind a balancer, restarted in turn ${RESTARTS} times: no delivery is refused`,
    async () => {
      const tenant = await ground.tenant();
      const balancer = await startBalancer();
      const running = [await start(NOTICE_MS), await start(NOTICE_MS)];
      balancer.targets = running.map(({ port }) => port);
      await until(() => running.every(({ port }) => balancer.isReady(port)));
      const senders = startSenders({ ...tenant, port: balancer.port, connections: 20, gapMs: 5, resends: false });
      for (let n = 0; n < RESTARTS; n += 1) {
        const leaving = running.shift();
        await leaving?.end('SIGTERM');
        expect(leaving?.process.exitCode).toBe(0);
        const next = await start(NOTICE_MS);
        running.push(next);
        balancer.targets = running.map(({ port }) => port);
        await until(() => balancer.isReady(next.port));
      }
      await senders.stop();
      expect(senders.refused).toEqual([]);
      expect(senders.accepted.size).toBeGreaterThan(100 * RESTARTS);
      const found = await stored(tenant.queue);
      expect([...senders.accepted].filter((id) => !found.has(id))).toEqual([]);
      await Promise.all(running.map((program) => program.end('SIGTERM')));
      await balancer.close();
    },
    RESTARTS * 15_000,
  );

  test('one process: what it answered is there, whatever it could not answer any more', async () => {
    const tenant = await ground.tenant();
    for (let n = 0; n < 2; n += 1) {
      const program = await start(0);
      const senders = startSenders({ ...tenant, port: program.port, connections: 20, gapMs: 0, resends: false });
      await pause(500);
      const began = Date.now();
      await program.end('SIGTERM');
      expect(Date.now() - began).toBeLessThan(2_500);
      await senders.stop();
      // Cut connections and refused ones only: nothing that was read got an error for an answer.
      expect(senders.refused.filter((answer) => /^\d/.test(answer))).toEqual([]);
      expect(senders.accepted.size).toBeGreaterThan(50);
      const found = await stored(tenant.queue);
      expect([...senders.accepted].filter((id) => !found.has(id))).toEqual([]);
    }
  }, 60_000);
});
