import { openDb, type Queryable } from '../src/store/db.ts';
import { audit, type Exemptions, type Pipeline } from '../test/support/pipeline.ts';
import type { Follower } from './follower.ts';

/** What a run came to. Each list is of words that say what, and is empty when all is well. */
export interface Verdict {
  /** Events of which at least one delivery was answered with 2xx. */
  readonly delivered: number;
  /** Accepted and nowhere, or given up by Gladly because it was refused too often. */
  readonly lost: readonly string[];
  /** Stored twice: a row, an item, a number of the feed. */
  readonly doubled: readonly string[];
  /** Stored otherwise than Gladly has it, not settled, or not to be had from the feed. */
  readonly wrong: readonly string[];
  /** Attempts of Gladly's that were not answered with 2xx; it sent them again. */
  readonly refused: number;
  readonly conversations: number;
  readonly items: number;
}

/**
 * Holds what the simulated Gladly delivered against ledger, conversations, items and feed, and a reader who was there all the time
 * against one who begins anew. Nothing may be changing meanwhile. Events that wait are wrong, unless `pending` names their conversations.
 */
export async function judge(
  pipeline: Pipeline,
  databaseUrl: string,
  follower: Follower,
  exemptions: Exemptions = {},
): Promise<Verdict> {
  const deliveries = await pipeline.deliveries();
  const attempts = deliveries.flatMap((delivery) => delivery.attempts);
  const accepted = ({ status }: { status?: number | null | undefined }) =>
    status != null && status >= 200 && status < 300;
  const givenUp = deliveries.filter((delivery) => !delivery.attempts.some(accepted));
  const found = await audit(pipeline, exemptions);
  const feed = await pipeline.feed();
  const { pending } = exemptions;
  const unsettled = Object.entries(found.states).filter(
    ([state]) => state !== 'extracted' && !(pending !== undefined && ['waiting', 'ignored'].includes(state)),
  );
  const unread = [...feed].filter(([id, line]) => {
    const held = follower.held.get(id);
    return held?.cursor !== line.cursor || held.items.length !== line.items.length;
  });
  const stored = await lookInto(databaseUrl, pipeline.tenantId, feed, pending);
  return {
    delivered: found.delivered,
    lost: [
      ...found.lost.map((id) => `event ${id} was accepted and is not in the ledger`),
      ...givenUp.map(({ eventId, state }) => `event ${eventId} was never accepted: ${state}`),
    ],
    doubled: [
      ...stored.doubled,
      ...follower.backwards.map((cursor) => `the feed gave number ${cursor} after a higher one`),
    ],
    wrong: [
      ...found.wrong.map((id) => `conversation ${id} is not as Gladly has it`),
      ...found.invented.map((id) => `event ${id} was never sent`),
      ...unsettled.map(([state, count]) => `${count} events are ${state}`),
      ...unread.map(([id]) => `the reader of the feed has missed a change of conversation ${id}`),
      ...stored.wrong,
    ],
    refused: attempts.filter((attempt) => !accepted(attempt)).length,
    conversations: feed.size,
    items: stored.items,
  };
}

type Feed = ReadonlyMap<string, { readonly items: readonly unknown[] }>;

async function lookInto(databaseUrl: string, tenantId: string, feed: Feed, known: ReadonlySet<string> = new Set()) {
  const db = openDb(databaseUrl, { max: 1, name: 'chaos' });
  try {
    // Counted without trusting the unique indexes that should make it impossible.
    const doubled = await Promise.all(
      [
        ['events', 'event_id'],
        ['conversations', 'conversation_id'],
        ['conversations', 'feed_seq'],
        ['items', 'conversation_id, item_id'],
      ].map(async ([table = '', key = '']) => {
        const { rows } = await db.query<{ key: string }>(
          `SELECT (${key})::text AS key FROM ${table} WHERE tenant_id = $1 GROUP BY ${key} HAVING count(*) > 1`,
          [tenantId],
        );
        return rows.map((row) => `${table}: ${key} ${row.key} is there more than once`);
      }),
    );
    const { rows: absent } = await db.query<{ id: string }>(
      'SELECT DISTINCT conversation_id AS id FROM events WHERE tenant_id = $1 AND conversation_id IS NOT NULL',
      [tenantId],
    );
    const items = await count(db, 'SELECT count(*) AS n FROM items WHERE tenant_id = $1', tenantId);
    const served = [...feed.values()].reduce((sum, line) => sum + line.items.length, 0);
    const pending = await count(db, 'SELECT count(*) AS n FROM pending_conversations WHERE tenant_id = $1', tenantId);
    return {
      items,
      doubled: doubled.flat(),
      wrong: [
        ...absent
          .filter(({ id }) => !feed.has(id) && !known.has(id))
          .map(({ id }) => `conversation ${id} is missing in the feed`),
        ...(served === items ? [] : [`the feed serves ${served} of ${items} items`]),
        ...(pending === known.size ? [] : [`${pending} conversations still wait`]),
        ...(await miscounted(db, tenantId)),
      ],
    };
  } finally {
    await db.close();
  }
}

/** The counters that the status shows, against the rows. */
async function miscounted(db: Queryable, tenantId: string): Promise<readonly string[]> {
  const states = ['waiting', 'extracted', 'gone', 'rejected', 'ignored'];
  const wrong: string[] = [];
  for (const state of states) {
    const counted = await count(db, `SELECT ${state} AS n FROM tenant_counters WHERE tenant_id = $1`, tenantId);
    const real = await count(
      db,
      `SELECT count(*) AS n FROM events WHERE tenant_id = $1 AND state = '${state}'`,
      tenantId,
    );
    if (counted !== real) wrong.push(`${state}: ${counted} counted, ${real} in the ledger`);
  }
  return wrong;
}

async function count(db: Queryable, sql: string, tenantId: string): Promise<number> {
  const { rows } = await db.query<{ n: unknown }>(sql, [tenantId]);
  return Number(rows[0]?.n ?? 0);
}
