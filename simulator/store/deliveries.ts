import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { integer, type Row, text } from './database.ts';

/**
 * pending: to be sent, or sent again. delivered: answered with 2XX. failed: the last resend failed, which switched the
 * webhook off. dropped: given up because the webhook was switched off or deleted meanwhile.
 */
const DELIVERY_STATES = ['pending', 'delivered', 'failed', 'dropped'] as const;
export const deliveryStateSchema = z.enum(DELIVERY_STATES);
type DeliveryState = z.infer<typeof deliveryStateSchema>;

const attemptSchema = z.object({
  /** Simulated time of sending. */
  at: z.string(),
  /** null when no answer came. */
  status: z.number().nullable(),
  /** Why no answer came, e.g. TIMEOUT or ECONNREFUSED. */
  error: z.string().optional(),
  /** Real milliseconds until the answer. */
  tookMs: z.number(),
});
export type Attempt = z.infer<typeof attemptSchema>;
const attemptsSchema = z.array(attemptSchema);

type Delivery = {
  number: number;
  eventId: string;
  type: string;
  webhookId: string;
  state: DeliveryState;
  /** Simulated milliseconds; of the next attempt while pending. */
  nextMs: number;
  attempts: Attempt[];
};

type DeliveryFilter = {
  after: number;
  limit: number;
  state?: DeliveryState | undefined;
  eventId?: string | undefined;
  webhookId?: string | undefined;
  type?: string | undefined;
};

export type Deliveries = {
  add(
    eventId: string,
    type: string,
    webhookId: string,
    state: DeliveryState,
    nextMs: number,
    attempts: Attempt[],
  ): number;
  /** With the event's body as it was sent first, or undefined for a PING. */
  get(number: number): { delivery: Delivery; body: string | undefined } | undefined;
  record(number: number, state: DeliveryState, nextMs: number, attempts: readonly Attempt[]): void;
  dropPending(webhookId: string): void;
  pending(): { number: number; webhookId: string; nextMs: number }[];
  list(filter: DeliveryFilter): Delivery[];
  counts(): Record<DeliveryState, number>;
  /** Forgets all but the newest `keep`; none that is pending. */
  trim(keep: number): number;
};

export function createDeliveries(database: DatabaseSync): Deliveries {
  const insert = database.prepare(
    'INSERT INTO deliveries (event_id, type, webhook_id, state, next_ms, attempts) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const get = database.prepare(
    'SELECT deliveries.*, events.body FROM deliveries LEFT JOIN events ON events.id = event_id WHERE deliveries.number = ?',
  );
  const record = database.prepare('UPDATE deliveries SET state = ?, next_ms = ?, attempts = ? WHERE number = ?');
  const drop = database.prepare(`UPDATE deliveries SET state = 'dropped' WHERE webhook_id = ? AND state = 'pending'`);
  const pending = database.prepare(`SELECT number, webhook_id, next_ms FROM deliveries WHERE state = 'pending'`);
  const list = database.prepare(
    `SELECT * FROM deliveries WHERE number > ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR event_id = ?3)
       AND (?4 IS NULL OR webhook_id = ?4) AND (?5 IS NULL OR type = ?5) ORDER BY number LIMIT ?6`,
  );
  const counts = database.prepare('SELECT state, count(*) AS n FROM deliveries GROUP BY state');
  const trim = database.prepare(
    `DELETE FROM deliveries WHERE state <> 'pending' AND number <= (SELECT max(number) FROM deliveries) - ?`,
  );

  return {
    add: (eventId, type, webhookId, state, nextMs, attempts) =>
      Number(insert.run(eventId, type, webhookId, state, nextMs, JSON.stringify(attempts)).lastInsertRowid),
    get: (number) => {
      const row = get.get(number);
      if (row === undefined) return undefined;
      return { delivery: toDelivery(row), body: row['body'] === null ? undefined : text(row, 'body') };
    },
    record: (number, state, nextMs, attempts) => void record.run(state, nextMs, JSON.stringify(attempts), number),
    dropPending: (webhookId) => void drop.run(webhookId),
    pending: () =>
      pending.all().map((row) => ({
        number: integer(row, 'number'),
        webhookId: text(row, 'webhook_id'),
        nextMs: integer(row, 'next_ms'),
      })),
    list: ({ after, limit, state, eventId, webhookId, type }) =>
      list.all(after, state ?? null, eventId ?? null, webhookId ?? null, type ?? null, limit).map(toDelivery),
    counts: () => {
      const total: Record<DeliveryState, number> = { pending: 0, delivered: 0, failed: 0, dropped: 0 };
      for (const row of counts.all()) total[deliveryStateSchema.parse(row['state'])] = integer(row, 'n');
      return total;
    },
    trim: (keep) => Number(trim.run(keep).changes),
  };
}

function toDelivery(row: Row): Delivery {
  return {
    number: integer(row, 'number'),
    eventId: text(row, 'event_id'),
    type: text(row, 'type'),
    webhookId: text(row, 'webhook_id'),
    state: deliveryStateSchema.parse(row['state']),
    nextMs: integer(row, 'next_ms'),
    attempts: attemptsSchema.parse(JSON.parse(text(row, 'attempts'))),
  };
}
