import type { ConversationResult } from '../../contracts/reading.ts';
import type { TenantId } from '../../contracts/tenant.ts';
import type { Tx } from '../db.ts';
import { assertFence } from '../drains.ts';
import { completeEvents } from '../ledger/complete.ts';
import { addCounts, type Completed } from '../ledger/counters.ts';
import { type Move, moveEvents } from '../ledger/move.ts';
import { type Rescheduling, reschedule } from '../ledger/reschedule.ts';
import { jsonbText, storableText, storableTime } from '../values.ts';
import { inPieces } from './pieces.ts';
import { type ItemRow, itemColumns, itemRows, outcomes, type StoredJson, storedJson } from './rows.ts';

export interface Written extends Completed {
  /** Conversations that got a new number of the feed. */
  readonly changed: number;
}

/**
 * Writes what several readings came to, in the transaction that it is given: conversations and items, the events' new states, the work queue,
 * and a feed number for each conversation that changed. An item never vanishes. Each conversation once at most. A drain reads a conversation
 * once at a time and writes in that order, and the fence keeps the drain before it out: so a reading that is written is the newest, and no
 * clock is asked. Throws StaleDrainError: then nothing of the transaction is kept.
 */
export async function writeConversations(
  tx: Tx,
  tenantId: TenantId,
  fence: number,
  writes: readonly ConversationResult[],
): Promise<Written> {
  await assertFence(tx, tenantId, fence);
  const known = await readKnown(tx, tenantId, writes);
  const plans = writes.map((write) => plan(write, known.get(write.conversationId)));
  await writeItems(
    tx,
    tenantId,
    plans.flatMap(({ items }) => items),
  );
  // Locks are taken in one order everywhere: conversations, items, events, pending conversations, and the counters last.
  const completed = await completeEvents(tx, tenantId, writes.flatMap(outcomes));
  await moveEvents(tx, tenantId, writes.flatMap(moveOf));
  await reschedule(tx, tenantId, writes.flatMap(reschedulingOf));
  const changed = plans.filter((one) => one.changed).length;
  const lastSeq = await addCounts(tx, tenantId, completed, changed);
  await writeRows(tx, tenantId, plans, lastSeq - changed);
  return { ...completed, changed };
}

interface Known {
  readonly digest: string | null;
  readonly goneAt: Date | null;
  readonly limited: boolean;
  /** Digests of its items, by id. */
  readonly items: ReadonlyMap<string, string>;
}

/** What is stored of these conversations, locked in a stable order. */
async function readKnown(
  tx: Tx,
  tenantId: TenantId,
  writes: readonly ConversationResult[],
): Promise<ReadonlyMap<string, Known>> {
  const touched = writes.filter(
    ({ reading, items, conversationGone }) => reading || items.length > 0 || conversationGone,
  );
  if (touched.length === 0) return new Map();
  const ids = touched.map(({ conversationId }) => conversationId);
  const { rows } = await tx.query<Omit<Known, 'items'> & { conversationId: string }>(
    `SELECT conversation_id AS "conversationId", digest, gone_at AS "goneAt", limited
     FROM conversations WHERE tenant_id = $1 AND conversation_id = ANY($2) ORDER BY conversation_id FOR UPDATE`,
    [tenantId, ids],
  );
  const items = await tx.query<{ conversationId: string; itemId: string; digest: string }>(
    `SELECT conversation_id AS "conversationId", item_id AS "itemId", digest FROM items
     WHERE tenant_id = $1 AND conversation_id = ANY($2)`,
    [tenantId, ids],
  );
  const digests = new Map<string, Map<string, string>>(ids.map((id) => [id, new Map()]));
  for (const { conversationId, itemId, digest } of items.rows) digests.get(conversationId)?.set(itemId, digest);
  const known = new Map(rows.map(({ conversationId, ...row }) => [conversationId, row]));
  return new Map(
    ids.map((id) => [
      id,
      {
        digest: null,
        goneAt: null,
        limited: false,
        ...known.get(id),
        items: digests.get(id) ?? new Map(),
      },
    ]),
  );
}

interface Plan {
  readonly write: ConversationResult;
  /** New ones and changed ones. */
  readonly items: readonly ItemRow[];
  readonly itemCount: number;
  /** The conversation's row, when it was read. */
  readonly row: StoredJson | null;
  readonly goneNow: boolean;
  /** Something that a reader of the feed would see. */
  readonly changed: boolean;
}

function plan(write: ConversationResult, known: Known | undefined): Plan {
  const { reading, conversationGone = false } = write;
  const found = itemRows(write);
  const items = found.filter(({ item, digest }) => known?.items.get(item.id) !== digest);
  const itemCount = new Set([...(known?.items.keys() ?? []), ...found.map(({ item }) => item.id)]).size;
  const row = reading && storedJson(reading.raw);
  const exists = known?.digest != null;
  const goneNow = conversationGone && exists && known.goneAt === null;
  const rowChanged =
    row !== null && (row.digest !== known?.digest || known.goneAt !== null || known.limited !== reading?.limited);
  return {
    write,
    items,
    itemCount,
    row,
    goneNow,
    changed: rowChanged || goneNow || (items.length > 0 && (exists || row !== null)),
  };
}

/** Characters of the JSON of one statement. A single item may have more. */
const STATEMENT_SIZE = 8 * 1024 * 1024;

async function writeItems(tx: Tx, tenantId: TenantId, rows: readonly ItemRow[]): Promise<void> {
  const sorted = [...rows].sort((a, b) => compare(a.conversationId, b.conversationId) || compare(a.item.id, b.item.id));
  for (const some of inPieces(sorted, ({ json }) => json.length, STATEMENT_SIZE)) await insertItems(tx, tenantId, some);
}

async function insertItems(tx: Tx, tenantId: TenantId, rows: readonly ItemRow[]): Promise<void> {
  await tx.query(
    `INSERT INTO items AS i (tenant_id, conversation_id, item_id, type, at, initiator_type, initiator_id, responder_type, responder_id,
       direction, channel, subject, content, attachment_count, session_id, customer_id, raw, digest)
     SELECT $1, conversation_id, item_id, type, at, initiator_type, initiator_id, responder_type, responder_id,
       direction, channel, subject, content, attachment_count, session_id, customer_id, raw::jsonb, digest
     FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
       $11::text[], $12::text[], $13::text[], $14::integer[], $15::text[], $16::text[], $17::text[], $18::text[])
       AS row(conversation_id, item_id, type, at, initiator_type, initiator_id, responder_type, responder_id,
         direction, channel, subject, content, attachment_count, session_id, customer_id, raw, digest)
     ON CONFLICT (tenant_id, conversation_id, item_id) DO UPDATE SET
       type = excluded.type, at = excluded.at, initiator_type = excluded.initiator_type, initiator_id = excluded.initiator_id,
       responder_type = excluded.responder_type, responder_id = excluded.responder_id, direction = excluded.direction,
       channel = excluded.channel, subject = excluded.subject, content = excluded.content, attachment_count = excluded.attachment_count,
       session_id = excluded.session_id, customer_id = excluded.customer_id, raw = excluded.raw, digest = excluded.digest`,
    [tenantId, ...itemColumns(rows)],
  );
}

/** Gives out the feed numbers after `seq` and writes the conversations' rows with them. */
async function writeRows(tx: Tx, tenantId: TenantId, plans: readonly Plan[], before: number): Promise<void> {
  let seq = before;
  const rows = plans.map((one) => {
    if (one.changed) seq += 1;
    return { ...one, seq: one.changed ? seq : null };
  });
  const read = rows.filter(({ row }) => row !== null);
  const others = rows.filter(({ row, changed }) => row === null && changed);
  if (read.length > 0) await upsertRead(tx, tenantId, read);
  if (others.length === 0) return;
  await tx.query(
    `UPDATE conversations c SET item_count = row.item_count, feed_seq = row.seq,
       gone_at = CASE WHEN row.gone THEN now() ELSE c.gone_at END, moved_to = CASE WHEN row.gone THEN row.moved_to ELSE c.moved_to END
     FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::boolean[], $6::text[]) AS row(conversation_id, item_count, seq, gone, moved_to)
     WHERE c.tenant_id = $1 AND c.conversation_id = row.conversation_id`,
    [
      tenantId,
      others.map(({ write }) => write.conversationId),
      others.map(({ itemCount }) => itemCount),
      others.map((one) => one.seq),
      others.map(({ goneNow }) => goneNow),
      others.map(({ write }) => write.moved?.to ?? null),
    ],
  );
}

async function upsertRead(
  tx: Tx,
  tenantId: TenantId,
  rows: readonly (Plan & { readonly seq: number | null })[],
): Promise<void> {
  const fields = rows.map(({ write }) => write.reading?.conversation ?? {});
  await tx.query(
    `INSERT INTO conversations AS c (tenant_id, conversation_id, customer_id, status, created_at, closed_at, inbox_id, agent_id, topic_ids,
       custom_attributes, item_count, limited, read_at, feed_seq, raw, digest)
     SELECT $1, conversation_id, customer_id, status, created_at, closed_at, inbox_id, agent_id,
       ARRAY(SELECT jsonb_array_elements_text(topic_ids::jsonb)), custom_attributes::jsonb, item_count, limited, read_at,
       coalesce(seq, 0), raw::jsonb, digest
     FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[],
       $10::text[], $11::integer[], $12::boolean[], $13::timestamptz[], $14::bigint[], $15::text[], $16::text[])
       AS row(conversation_id, customer_id, status, created_at, closed_at, inbox_id, agent_id, topic_ids, custom_attributes, item_count,
         limited, read_at, seq, raw, digest)
     ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET
       customer_id = excluded.customer_id, status = excluded.status, created_at = excluded.created_at, closed_at = excluded.closed_at,
       inbox_id = excluded.inbox_id, agent_id = excluded.agent_id, topic_ids = excluded.topic_ids,
       custom_attributes = excluded.custom_attributes, item_count = excluded.item_count, limited = excluded.limited,
       read_at = excluded.read_at, gone_at = NULL, moved_to = NULL, raw = excluded.raw, digest = excluded.digest,
       feed_seq = CASE WHEN excluded.feed_seq = 0 THEN c.feed_seq ELSE excluded.feed_seq END`,
    [
      tenantId,
      rows.map(({ write }) => write.conversationId),
      fields.map(({ customerId }) => storableText(customerId)),
      fields.map(({ status }) => storableText(status)),
      fields.map(({ createdAt }) => storableTime(createdAt)),
      fields.map(({ closedAt }) => storableTime(closedAt)),
      fields.map(({ inboxId }) => storableText(inboxId)),
      fields.map(({ agentId }) => storableText(agentId)),
      fields.map(({ topicIds }) => jsonbText(topicIds ?? [])),
      fields.map(({ customAttributes }) => jsonbText(customAttributes ?? [])),
      rows.map(({ itemCount }) => itemCount),
      rows.map(({ write }) => write.reading?.limited ?? false),
      rows.map(({ write }) => write.reading?.readAt ?? null),
      rows.map(({ seq }) => seq),
      rows.map(({ row }) => row?.json ?? 'null'),
      rows.map(({ row }) => row?.digest ?? ''),
    ],
  );
}

function reschedulingOf({ conversationId, later, failed }: ConversationResult): Rescheduling[] {
  if (failed !== null) return [{ conversationId, ...failed }];
  return later === null ? [] : [{ conversationId, ...later }];
}

const moveOf = ({ conversationId: from, moved }: ConversationResult): Move[] =>
  moved === null ? [] : [{ from, ...moved }];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
