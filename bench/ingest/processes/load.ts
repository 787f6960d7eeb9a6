/** The load client: raw sockets with prepared requests, so that it uses little CPU. */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import type { LoadOrder, LoadResult } from '../load.ts';

process.on('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.({ result }));
});
process.send?.({ port: 0 });

async function run(order: LoadOrder): Promise<LoadResult> {
  const began = performance.now();
  const ends = began + order.durationMs;
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let sent = 0;
  const next = (): Buffer | null => {
    if (sent >= order.requests || performance.now() >= ends) return null;
    sent += 1;
    return requestOf(order, sent);
  };
  await Promise.all(
    Array.from({ length: order.connections }, (_, n) =>
      converse(order, n, next, (status, ms) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        latencies.push(ms);
      }),
    ),
  );
  latencies.sort((a, b) => a - b);
  return {
    statuses,
    seconds: (performance.now() - began) / 1_000,
    p50Ms: at(latencies, 0.5),
    p99Ms: at(latencies, 0.99),
  };
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(sorted.length * share)] ?? Number.NaN;

function requestOf(order: LoadOrder, n: number): Buffer {
  const { tenantId, key } = order.tenants[n % order.tenants.length] ?? { tenantId: 'none', key: 'none' };
  const id = `${order.label}-${n}`;
  const body = `{"id":"${id}","type":"CONTACT/MESSAGE_RECEIVED","timestamp":"2026-01-05T09:00:00.12Z","initiator":{"id":"cQ3nqvdtRzWeBOsWSW0DBg","type":"CUSTOMER"},"content":{"channel":"CHAT","contactId":"xKQDvWrTRqGRNgQ1mVgY5g","conversationId":"c-${n % 500}","customerId":"cQ3nqvdtRzWeBOsWSW0DBg","messageId":"m-${n}","context":{"assignee":{"inboxId":"inbox-1","agentId":"agent-1"}}}}`;
  return Buffer.from(
    `POST /webhooks/gladly/${tenantId} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nx-api-key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** One connection with one request at a time. With a rate, each request is sent when it is due, and its latency counts from then. */
function converse(
  order: LoadOrder,
  n: number,
  next: () => Buffer | null,
  seen: (status: string, ms: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
    const gapMs = order.perSecond === null ? 0 : (1_000 * order.connections) / order.perSecond;
    let due = performance.now() + (gapMs * n) / order.connections;
    let from = 0;
    let answer = '';
    const send = (): void => {
      const request = next();
      if (request === null) {
        socket.end();
        resolve();
        return;
      }
      from = order.perSecond === null ? performance.now() : due;
      due += gapMs;
      socket.write(request);
    };
    const sendWhenDue = (): void => {
      const wait = order.perSecond === null ? 0 : due - performance.now();
      if (wait <= 0) send();
      else setTimeout(send, wait);
    };
    socket.on('connect', sendWhenDue);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      const head = answer.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < head + 4 + length) return;
      seen(answer.slice(9, 12), performance.now() - from);
      answer = '';
      sendWhenDue();
    });
  });
}
