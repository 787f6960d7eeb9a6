import { setTimeout as sleep } from 'node:timers/promises';
import { openDb } from '../../src/store/db.ts';
import type { Feeder, Sent } from './feeder.ts';
import type { Enrolled } from './many-tenants.ts';

const LOOK_MS = 2_000;
/** The clocks of two processes of one machine, and how long a delivery takes at most. */
const SLACK_MS = 60_000;

export interface Arrived {
  /** Of each event that was accepted, in ms: one that is not stored when the waiting is over is as late as that. */
  readonly ms: readonly number[];
  readonly stored: number;
  readonly refused: number;
}

/** Milliseconds since 1970; the end is not in it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Stops the feeder, and waits until all that was accepted is stored, `patienceMs` at most. */
export async function untilStored(
  feeder: Feeder,
  databaseUrl: string,
  tenants: readonly Enrolled[],
  patienceMs: number,
): Promise<Arrivals> {
  await feeder.stop();
  const end = performance.now() + patienceMs;
  for (;;) {
    const stored = await storedSince(databaseUrl, tenants, feeder.startedAt - SLACK_MS);
    const isAll = [...feeder.accepted.keys()].every((id) => stored.has(id));
    if (isAll || performance.now() > end)
      return new Arrivals(feeder.accepted, stored, feeder.refused.length, patienceMs);
    await sleep(LOOK_MS);
  }
}

/** What became of the events that were accepted. */
export class Arrivals {
  readonly #accepted: ReadonlyMap<string, Sent>;
  readonly #stored: ReadonlyMap<string, number>;
  readonly #patienceMs: number;
  readonly refused: number;

  /** `stored`: milliseconds from accepted to stored, by event id. */
  constructor(
    accepted: ReadonlyMap<string, Sent>,
    stored: ReadonlyMap<string, number>,
    refused: number,
    patienceMs: number,
  ) {
    this.#accepted = accepted;
    this.#stored = stored;
    this.refused = refused;
    this.#patienceMs = patienceMs;
  }

  /** Of those sent in this time, to these tenants. */
  of(span: Partial<Span> = {}, isWanted: (tenantId: string) => boolean = () => true): Arrived {
    const { from = 0, to = Number.POSITIVE_INFINITY } = span;
    const ids = [...this.#accepted].flatMap(([id, { at, tenantId }]) =>
      at >= from && at < to && isWanted(tenantId) ? [id] : [],
    );
    const known = ids.flatMap((id) => this.#stored.get(id) ?? []);
    const late = known.reduce((most, one) => Math.max(most, one), this.#patienceMs);
    const missing = Array.from({ length: ids.length - known.length }, () => late);
    return { ms: [...known, ...missing], stored: known.length, refused: this.refused };
  }
}

async function storedSince(
  databaseUrl: string,
  tenants: readonly Enrolled[],
  since: number,
): Promise<ReadonlyMap<string, number>> {
  const db = openDb(databaseUrl, { max: 1, name: 'bench', statementTimeoutMs: SLACK_MS });
  try {
    const { rows } = await db.query<{ id: string; ms: unknown }>(
      `SELECT event_id AS id, extract(epoch FROM done_at - received_at) * 1000 AS ms FROM events
       WHERE tenant_id = ANY($1) AND received_at >= $2 AND state = 'extracted'`,
      [tenants.map(({ tenantId }) => tenantId), new Date(since)],
    );
    return new Map(rows.map(({ id, ms }) => [id, Number(ms)]));
  } finally {
    await db.close();
  }
}
