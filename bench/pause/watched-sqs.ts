import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const PROGRAM = join(import.meta.dirname, '../../dev/parts/sqs.ts');
const ready = z.object({ type: z.literal('ready'), port: z.number() });

/** One receive, as it was sent: which queue, and when by `performance.now()`. */
export interface Receive {
  readonly queueUrl: string;
  readonly at: number;
}

/** The SQS emulator behind a door at which every receive is noted. */
export class WatchedSqs {
  readonly receives: Receive[] = [];
  readonly #emulator: ChildProcess;
  readonly #door: Server;
  readonly #folder: string;

  private constructor(emulator: ChildProcess, emulatorPort: number, folder: string) {
    this.#emulator = emulator;
    this.#folder = folder;
    this.#door = createServer((incoming, outgoing) => {
      const at = performance.now();
      const isReceive = incoming.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage';
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body = Buffer.concat(chunks);
        if (isReceive) this.receives.push({ queueUrl: /"QueueUrl":"([^"]+)"/.exec(body.toString())?.[1] ?? '', at });
        const { method, url: path, headers } = incoming;
        const options = { host: '127.0.0.1', port: emulatorPort, method, path, headers };
        const onward = request(options, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        onward.on('error', () => outgoing.destroy());
        onward.end(body);
      });
    });
  }

  get endpoint(): string {
    const address = this.#door.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  static async start(): Promise<WatchedSqs> {
    const folder = mkdtempSync(join(tmpdir(), 'sqs-'));
    const emulator = fork(PROGRAM, [folder, '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const [message]: unknown[] = await once(emulator, 'message');
    const sqs = new WatchedSqs(emulator, ready.parse(message).port, folder);
    sqs.#door.listen(0, '127.0.0.1');
    await once(sqs.#door, 'listening');
    return sqs;
  }

  async end(): Promise<void> {
    this.#door.close();
    this.#door.closeAllConnections();
    const gone = once(this.#emulator, 'exit');
    this.#emulator.kill('SIGKILL');
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
