import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Pipeline } from '../test/support/pipeline.ts';

const line = z.object({
  cursor: z.string(),
  conversationId: z.string(),
  raw: z.unknown(),
  items: z.array(z.unknown()),
});
type Line = z.infer<typeof line>;

const PAGE = 50;
const LOOK_MS = 250;

/**
 * A reader of the feed as the analytics side is one: it goes on from its last cursor, whatever happens meanwhile, and keeps each
 * conversation's newest state. What it holds in the end must be what the feed gives to somebody who begins anew.
 */
export class Follower {
  readonly #pipeline: Pipeline;
  readonly #running = new AbortController();
  readonly #reading: Promise<void>;
  readonly held = new Map<string, Line>();
  /** Cursors that did not grow. */
  readonly backwards: string[] = [];
  #cursor = 0;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
    this.#reading = this.#read();
  }

  /** Reads to the end once more, and stops. */
  async stop(): Promise<void> {
    this.#running.abort();
    await this.#reading;
    while ((await this.#page()) > 0);
  }

  async #read(): Promise<void> {
    while (!this.#running.signal.aborted) {
      // Down, or cut off in the middle of an answer: it goes on from the last whole line.
      const found = await this.#page().catch(() => 0);
      if (found < PAGE) await sleep(LOOK_MS);
    }
  }

  async #page(): Promise<number> {
    const path = `/v1/tenants/${this.#pipeline.tenantId}/conversations?after=${this.#cursor}&limit=${PAGE}`;
    const { status, text } = await this.#pipeline.ask('GET', path);
    if (status !== 200) throw new Error(`feed: ${status}`);
    const lines = text.split('\n').filter((one) => one !== '');
    for (const one of lines) this.#take(line.parse(JSON.parse(one)));
    return lines.length;
  }

  #take(entry: Line): void {
    if (Number(entry.cursor) <= this.#cursor) this.backwards.push(entry.cursor);
    this.#cursor = Number(entry.cursor);
    this.held.set(entry.conversationId, entry);
  }
}
