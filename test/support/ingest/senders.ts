import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { eventBody } from './endpoint.ts';

export interface SenderOptions {
  readonly port: number;
  readonly tenantId: string;
  readonly key: string;
  readonly connections: number;
  /** Milliseconds between two deliveries of one connection. */
  readonly gapMs: number;
  /** Sends a delivery again until it is answered with 200, as Gladly does. */
  readonly resends: boolean;
  /** False: a new connection for each delivery. */
  readonly keepsAlive?: boolean;
}

/** Deliveries that are sent until `stop`. */
export interface Senders {
  /** Ids of events that were answered with 200. */
  readonly accepted: Set<string>;
  /** First answers other than 200: the status, or the error of the connection. */
  readonly refused: string[];
  readonly slowestMs: number;
  stop(): Promise<void>;
}

export function startSenders(options: SenderOptions): Senders {
  const agent = new Agent({ keepAlive: options.keepsAlive ?? true, maxSockets: options.connections });
  const accepted = new Set<string>();
  const refused: string[] = [];
  let slowestMs = 0;
  let stopped = false;

  function post(body: string): Promise<string> {
    return new Promise((resolve) => {
      const sent = request(
        {
          port: options.port,
          host: '127.0.0.1',
          agent,
          method: 'POST',
          path: `/webhooks/gladly/${options.tenantId}`,
          headers: { 'x-api-key': options.key, 'content-length': body.length },
          timeout: 15_000,
        },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve(String(answer.statusCode)));
          answer.once('error', (error) => resolve(error.message));
        },
      );
      sent.once('error', (error) => resolve(error.message));
      sent.once('timeout', () => sent.destroy(new Error('no answer in 15 s')));
      sent.end(body);
    });
  }

  async function deliverOne(): Promise<void> {
    const body = eventBody();
    const { id } = JSON.parse(body) as { readonly id: string };
    for (let attempt = 0; attempt === 0 || options.resends; attempt += 1) {
      const began = performance.now();
      const answer = await post(body);
      slowestMs = Math.max(slowestMs, performance.now() - began);
      if (answer === '200') {
        accepted.add(id);
        return;
      }
      if (attempt === 0) refused.push(answer);
      await pause(200);
    }
  }

  const loops = Array.from({ length: options.connections }, async () => {
    while (!stopped) {
      await deliverOne();
      await pause(options.gapMs);
    }
  });
  return {
    accepted,
    refused,
    get slowestMs() {
      return slowestMs;
    },
    async stop() {
      stopped = true;
      await Promise.all(loops);
      agent.destroy();
    },
  };
}
