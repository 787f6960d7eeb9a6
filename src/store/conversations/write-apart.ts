import { type ConversationResult, nothing } from '../../contracts/reading.ts';
import type { TenantId } from '../../contracts/tenant.ts';
import type { Db, Tx } from '../db.ts';
import { isRefusal } from '../errors.ts';
import { inPieces } from './pieces.ts';
import { sizeOf } from './rows.ts';
import { writeConversations } from './write.ts';

/** Characters of the JSON of one transaction: Postgres, the driver and PGlite hold it several times over. One conversation may have more. */
const TRANSACTION_SIZE = 8 * 1024 * 1024;

/** A conversation that Postgres refuses is read again after these times, in ms: it may have changed, or we may have. Then its events are rejected. */
const REFUSED_RETRY_MS = [2_000, 10_000, 60_000, 300_000] as const;

/**
 * Writes what several readings came to (writeConversations), in as few transactions as size and content allow. A conversation that Postgres refuses
 * costs itself alone: it is put off, with the reason, and after some tries its events are rejected. Resolves with what was written of each, in
 * order. Throws StaleDrainError, and what is not about a conversation: then some may be written, and all can be written again.
 */
export async function writeApart(
  db: Db,
  tenantId: TenantId,
  fence: number,
  results: readonly ConversationResult[],
): Promise<readonly ConversationResult[]> {
  const write = (some: readonly ConversationResult[]) =>
    db.transaction((tx) => writeConversations(tx, tenantId, fence, some));
  const apart = async (some: readonly ConversationResult[]): Promise<readonly ConversationResult[]> => {
    const [one] = some;
    if (one === undefined) return [];
    try {
      await write(some);
      return some;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (some.length === 1) return [await refused(one, error.code)];
      const half = some.length >> 1;
      return [...(await apart(some.slice(0, half))), ...(await apart(some.slice(half)))];
    }
  };
  const refused = (result: ConversationResult, code: string): Promise<ConversationResult> =>
    db.transaction(async (tx) => {
      const instead = insteadOf(result, `store_refused_${code}`, await attemptsOf(tx, tenantId, result.conversationId));
      await writeConversations(tx, tenantId, fence, [instead]);
      return instead;
    });

  const written: ConversationResult[] = [];
  for (const piece of inPieces(results, sizeOrNone, TRANSACTION_SIZE)) written.push(...(await apart(piece)));
  return written;
}

/** What cannot even be said in JSON is found when it is written. */
function sizeOrNone(result: ConversationResult): number {
  try {
    return sizeOf(result);
  } catch (error) {
    if (isRefusal(error)) return 0;
    throw error;
  }
}

function insteadOf(result: ConversationResult, reason: string, attempts: number): ConversationResult {
  const { conversationId, extracted, gone, rejected, later, moved } = result;
  const inMs = REFUSED_RETRY_MS[attempts];
  if (inMs !== undefined) return { ...nothing(conversationId), failed: { inMs, reason } };
  const settled = [...gone, ...rejected].map(({ eventId }) => eventId);
  const eventIds = [...extracted, ...settled, ...(later?.eventIds ?? []), ...(moved?.eventIds ?? [])];
  return { ...nothing(conversationId), rejected: eventIds.map((eventId) => ({ eventId, reason })) };
}

/** Readings of the conversation that failed in a row. */
async function attemptsOf(tx: Tx, tenantId: TenantId, conversationId: string): Promise<number> {
  const { rows } = await tx.query<{ attempts: number }>(
    'SELECT attempts FROM pending_conversations WHERE tenant_id = $1 AND conversation_id = $2',
    [tenantId, conversationId],
  );
  return rows[0]?.attempts ?? 0;
}
