import { createServer, type IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const eventSchema = z.looseObject({ id: z.string().optional(), type: z.string() });
type Received = { event: z.infer<typeof eventSchema>; text: string; headers: IncomingHttpHeaders; atMs: number };

/** What to answer: a status, or 'never', or a status with headers. May depend on what came. */
type Reply = number | 'never' | { status: number; headers: Record<string, string> };

export type Receiver = {
  url: string;
  received: Received[];
  /** Without PINGs. */
  events(): Received[];
  replyWith(reply: Reply | ((received: Received) => Reply)): void;
};

/** A server that takes webhooks, on a free port, until the test ends. Answers 200 unless told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let reply: (received: Received) => Reply = () => 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const event = eventSchema.parse(JSON.parse(text));
      const entry = { event, text, headers: request.headers, atMs: Date.now() };
      received.push(entry);
      const answer = reply(entry);
      if (answer === 'never') return;
      if (typeof answer === 'number') response.writeHead(answer).end();
      else response.writeHead(answer.status, answer.headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    events: () => received.filter(({ event }) => event.type !== 'PING'),
    replyWith: (next) => {
      reply = typeof next === 'function' ? next : () => next;
    },
  };
}
