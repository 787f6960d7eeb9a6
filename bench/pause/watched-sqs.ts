import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { endsWithUs } from '../support/ending.ts';

const PROGRAM = join(import.meta.dirname, '../../dev/parts/sqs.ts');
const ready = z.object({ type: z.literal('ready'), port: z.number() });

/** One receive: which queue, when it was sent, and when it was answered or given up (undefined: it is open), by `performance.now()`. */
export interface Receive {
  readonly queueUrl: string;
  readonly at: number;
  until: number | undefined;
}

/** The SQS emulator behind a door at which every receive is noted. */
export class WatchedSqs {
  readonly receives: Receive[] = [];
  readonly #emulator: ChildProcess;
  readonly #door: Server;
  readonly #folder: string;
  #isEnded = (): void => undefined;

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
        if (isReceive) {
          const queueUrl = /"QueueUrl":"([^"]+)"/.exec(body.toString())?.[1] ?? '';
          const receive: Receive = { queueUrl, at, until: undefined };
          this.receives.push(receive);
          outgoing.once('close', () => {
            receive.until = performance.now();
          });
        }
        const { method, url: path, headers } = incoming;
        const options = { host: '127.0.0.1', port: emulatorPort, method, path, headers };
        // A long poll that its caller gives up is given up here too: else it would receive for nobody.
        outgoing.once('close', () => onward.destroy());
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

  /** Of the emulator. */
  get pid(): number | undefined {
    return this.#emulator.pid;
  }

  static async start(): Promise<WatchedSqs> {
    const folder = mkdtempSync(join(tmpdir(), 'sqs-'));
    const emulator = fork(PROGRAM, [folder, '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const [message]: unknown[] = await once(emulator, 'message');
    const sqs = new WatchedSqs(emulator, ready.parse(message).port, folder);
    sqs.#isEnded = endsWithUs(() => sqs.end());
    sqs.#door.listen(0, '127.0.0.1');
    await once(sqs.#door, 'listening');
    return sqs;
  }

  async end(): Promise<void> {
    this.#door.close();
    this.#door.closeAllConnections();
    if (this.#emulator.exitCode === null && this.#emulator.signalCode === null) {
      const gone = once(this.#emulator, 'exit');
      this.#emulator.kill('SIGKILL');
      await gone;
    }
    this.#isEnded();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
