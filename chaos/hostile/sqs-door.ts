import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { openPart, type Part } from '../../test/support/ingest/processes.ts';

/** What SQS refuses: all calls, or only those that send; of all queues, or of those whose name ends so. */
export interface Refusal {
  readonly what: 'all' | 'sends';
  /** Null: every queue. */
  readonly queue: string | null;
  readonly status: 400 | 403;
  /** SQS's name of the error. */
  readonly code: string;
}

/**
 * An SQS in a process of its own that can be killed and started again, behind a door that refuses what it is told to. Whoever goes through the door
 * sees its address in all queue URLs.
 */
export class SqsDoor {
  readonly url: string;
  /** How many calls were refused. */
  refused = 0;
  readonly #part: Part;
  readonly #refusals = new Set<Refusal>();
  readonly #close: () => void;

  private constructor(part: Part, port: number, close: () => void) {
    this.#part = part;
    this.url = `http://127.0.0.1:${port}`;
    this.#close = close;
  }

  static async open(): Promise<SqsDoor> {
    const part = await openPart('sqs');
    const server = createServer((incoming, answer) => void door.#pass(incoming, answer));
    // Long polls hold a connection for 20 s, and the SDK keeps idle ones.
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the door has no port');
    const door = new SqsDoor(part, address.port, () => {
      server.closeAllConnections();
      server.close();
    });
    return door;
  }

  /** The SQS itself, behind the door. */
  get behind(): string {
    return `http://127.0.0.1:${this.#part.port}`;
  }

  refuse(refusal: Refusal): () => void {
    this.#refusals.add(refusal);
    return () => void this.#refusals.delete(refusal);
  }

  async kill(): Promise<void> {
    await this.#part.kill();
    await this.#part.start();
  }

  async close(): Promise<void> {
    this.#close();
    await this.#part.close();
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const refusal = this.#refusalOf(String(incoming.headers['x-amz-target']), body.toString());
      if (refusal === undefined) return this.#forward(incoming, body, answer);
      this.refused += 1;
      answer.writeHead(refusal.status, {
        'content-type': 'application/x-amz-json-1.0',
        'x-amzn-query-error': `${refusal.code};Sender`,
      });
      answer.end(JSON.stringify({ __type: `com.amazonaws.sqs#${refusal.code}`, message: 'refused' }));
    } catch {
      answer.destroy();
    }
  }

  #refusalOf(target: string, body: string): Refusal | undefined {
    const queue = /"QueueUrl"\s*:\s*"([^"]*)"/.exec(body)?.[1];
    return [...this.#refusals].find(
      (one) =>
        (one.what === 'all' || target.includes('SendMessage')) &&
        (one.queue === null || queue?.endsWith(one.queue) === true),
    );
  }

  #forward(incoming: IncomingMessage, body: Buffer, answer: ServerResponse): void {
    const { method, url, headers } = incoming;
    const onward = request(`${this.behind}${url}`, { method, headers: { ...headers, 'content-length': body.length } });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    // Who waits no longer for a long poll must not be given what came meanwhile.
    answer.on('close', () => onward.destroy());
    onward.end(body);
  }
}
