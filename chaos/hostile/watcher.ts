import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Db } from '../../src/store/db.ts';
import { deliveries } from '../../test/support/pipeline.ts';
import type { Look } from './misled.ts';
import type { Site } from './scene.ts';

const LOOK_MS = 2_000;

const coded = z.object({ code: z.string() }).nullish();
const seen = z.object({
  problem: z.string().nullable(),
  findings: z.array(z.object({ code: z.string() })),
  out: z.string().nullable(),
  onboarding: z.object({ problem: coded }).loose().nullable(),
  extraction: z.object({ pause: z.unknown(), problem: coded, warning: coded }).loose().nullable(),
  events: z.object({ inDeadLetterQueue: z.number().nullable(), rejected: z.number() }).loose(),
});

/** Looks at all tenants every two seconds: at what their status says, and at what is true. */
export class Watcher {
  readonly looks: Look[] = [];
  readonly #db: Db;
  readonly #running = new AbortController();
  readonly #watching: Promise<unknown>;
  /** Number of the last delivery before which all were accepted and are settled. */
  readonly #settledUpTo = new Map<string, number>();
  /** By tenant: how many accepted events have no final state. */
  readonly unsettled = new Map<string, readonly string[]>();

  constructor(sites: readonly Site[], db: Db) {
    this.#db = db;
    this.#watching = Promise.all(sites.map((site) => this.#watch(site)));
  }

  async stop(): Promise<void> {
    this.#running.abort();
    await this.#watching;
  }

  /** Codes that the tenant's status named last. */
  namedLast(tenantId: string): readonly string[] {
    return this.looks.findLast(({ tenant }) => tenant === tenantId)?.named ?? [];
  }

  async #watch(site: Site): Promise<void> {
    let next = performance.now();
    while (!this.#running.signal.aborted) {
      // While API or Postgres are down nothing is said, and so nobody is misled. An answer that is not understood ends the run.
      const truth = await this.#unsettledOf(site).catch(() => undefined);
      const said = await ask(site).catch(() => undefined);
      if (truth !== undefined && said !== undefined) this.looks.push(lookOf(site, seen.parse(JSON.parse(said)), truth));
      next = Math.max(next + LOOK_MS, performance.now());
      await sleep(next - performance.now(), undefined, { signal: this.#running.signal }).catch(() => undefined);
    }
  }

  /** Ids of events that were accepted and have no final state, the oldest first. */
  async #unsettledOf({ tenantId, pipeline }: Site): Promise<readonly string[]> {
    const after = this.#settledUpTo.get(tenantId) ?? 0;
    const path = `/simulator/deliveries?after=${after}&limit=10000`;
    const page = (await pipeline.control('GET', path, undefined, deliveries)).deliveries;
    const isAccepted = (one: (typeof page)[number]): boolean => one.attempts.some(({ status }) => status === 200);
    const events = page.filter(({ type }) => type !== 'PING');
    const accepted = events.filter(isAccepted).map(({ eventId }) => eventId);
    const { rows } = await this.#db.query<{ id: string }>(
      `SELECT event_id AS id FROM events WHERE tenant_id = $1 AND event_id = ANY($2) AND state <> 'waiting'`,
      [tenantId, accepted],
    );
    const settled = new Set(rows.map(({ id }) => id));
    const firstOpen = events.find((one) => !isAccepted(one) || !settled.has(one.eventId));
    const upTo = firstOpen === undefined ? page.at(-1)?.number : firstOpen.number - 1;
    if (upTo !== undefined) this.#settledUpTo.set(tenantId, Math.max(after, upTo));
    const unsettled = accepted.filter((id) => !settled.has(id));
    this.unsettled.set(tenantId, unsettled);
    return unsettled;
  }
}

async function ask({ tenantId, pipeline }: Site): Promise<string | undefined> {
  const { status, text } = await pipeline.ask('GET', `/v1/tenants/${tenantId}`);
  return status === 200 ? text : undefined;
}

function lookOf({ tenantId }: Site, status: z.infer<typeof seen>, unsettled: readonly string[]): Look {
  const { problem, findings, out, onboarding, extraction, events } = status;
  const codes = [problem, onboarding?.problem?.code, extraction?.problem?.code, extraction?.warning?.code];
  const named = [...codes.filter((code) => code != null), ...findings.map(({ code }) => code)];
  return {
    atMs: performance.now(),
    tenant: tenantId,
    named: [...new Set(named)],
    excused: extraction?.pause != null || out !== null,
    standing: [
      ...((events.inDeadLetterQueue ?? 0) > 0 ? ['dead_letters_waiting'] : []),
      ...(events.rejected > 0 ? ['events_rejected'] : []),
    ],
    oldest: unsettled[0] ?? null,
  };
}
