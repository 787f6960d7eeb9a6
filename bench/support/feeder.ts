import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Pipeline } from '../../test/support/pipeline.ts';
import type { Enrolled } from './many-tenants.ts';

const envelope = z.object({ id: z.string(), type: z.string(), content: z.looseObject({ conversationId: z.string() }) });
const anything = z.looseObject({ id: z.string(), type: z.string() });
const page = z.object({ events: z.array(anything), next: z.union([z.string(), z.number()]) });

const LOOK_MS = 100;

/** When a feeder sent an event, and to whom. */
export interface Sent {
  readonly at: number;
  readonly tenantId: string;
}

/**
 * Delivers the events of the simulated organization to tenants of our own choice: what the simulator's log holds is posted to the webhook
 * address of the tenant that its conversation belongs to. A conversation stays with the tenant that got its first event.
 */
export class Feeder {
  readonly #pipeline: Pipeline;
  readonly #tenants: readonly Enrolled[];
  readonly #owners = new Map<string, Enrolled>();
  readonly #posts = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #after: string | number = 0;
  #running: Promise<void> = Promise.resolve();
  readonly #accepted = new Map<string, Sent>();
  #startedAt = 0;
  readonly refused: string[] = [];

  constructor(pipeline: Pipeline, tenants: readonly Enrolled[]) {
    this.#pipeline = pipeline;
    this.#tenants = tenants;
  }

  /** By event id: those that were answered with 2xx. */
  get accepted(): ReadonlyMap<string, Sent> {
    return this.#accepted;
  }

  get posted(): number {
    return this.#accepted.size;
  }

  /** Milliseconds since 1970. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Skips what has happened so far, and delivers from now on, event by event as they happen. */
  async start(): Promise<void> {
    while ((await this.#page()).length > 0);
    this.#startedAt = Date.now();
    this.#running = this.#run();
    // What it fails of is thrown by `stop`.
    this.#running.catch(() => undefined);
  }

  /** Delivers what has happened until now, and stops. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (let events = await this.#page(); events.length > 0; events = await this.#page()) this.#post(events);
    await Promise.all(this.#posts);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const events = await this.#page();
      this.#post(events);
      if (events.length === 0) await sleep(LOOK_MS);
    }
  }

  async #page(): Promise<readonly unknown[]> {
    const found = await this.#pipeline.control(
      'GET',
      `/simulator/events?after=${this.#after}&limit=1000`,
      undefined,
      page,
    );
    this.#after = found.next;
    return found.events;
  }

  #post(events: readonly unknown[]): void {
    for (const event of events) {
      // Of what has no conversation (an agent's status), nobody is the owner.
      const read = envelope.safeParse(event);
      if (!read.success) continue;
      const owner = this.#ownerOf(read.data.content.conversationId);
      const posting = this.#deliver(owner, read.data.id, JSON.stringify(event)).finally(() =>
        this.#posts.delete(posting),
      );
      this.#posts.add(posting);
    }
  }

  #ownerOf(conversationId: string): Enrolled {
    const known = this.#owners.get(conversationId);
    if (known) return known;
    const owner = this.#tenants[this.#owners.size % this.#tenants.length];
    if (!owner) throw new Error('no tenants to deliver to');
    this.#owners.set(conversationId, owner);
    return owner;
  }

  async #deliver({ tenantId, url, key }: Enrolled, id: string, body: string): Promise<void> {
    const at = Date.now();
    const headers = { 'content-type': 'application/json', 'x-api-key': key };
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(15_000) });
      await answer.body?.cancel();
      if (answer.ok) this.#accepted.set(id, { at, tenantId });
      else this.refused.push(String(answer.status));
    } catch (error) {
      this.refused.push(error instanceof Error ? error.name : 'unknown');
    }
  }
}
