import type { ConversationResult } from '../../contracts/reading.ts';
import { eventFacts } from '../../gladly/event-facts.ts';
import { decodeDelivery } from '../../queue/envelope.ts';
import type { Receiver } from '../../queue/receiver.ts';
import { lastRead, storedOf } from '../../store/conversations/stored.ts';
import { writeConversations } from '../../store/conversations/write.ts';
import type { Db } from '../../store/db.ts';
import { assertFence } from '../../store/drains.ts';
import { reschedule } from '../../store/ledger/reschedule.ts';
import { nextDueMs, selectDue } from '../../store/ledger/select-due.ts';
import { type NewEvent, takeIn } from '../../store/ledger/take-in.ts';
import { waitingEvents } from '../../store/ledger/waiting.ts';
import type { ExtractDeps } from './extract.ts';
import type { IntakeDeps, TakenMessage } from './intake.ts';
import { type DrainLimits, NEWEST_SHARE } from './limits.ts';
import type { DueConversation } from './read-conversation.ts';

/** Whose drain it is. Every write of it carries the fence: a drain that has a successor can change nothing. */
export interface Fenced {
  readonly db: Db;
  readonly tenantId: string;
  readonly fence: number;
}

export function intakeDeps(
  { db, tenantId, fence }: Fenced,
  receiver: Receiver,
  queueUrl: string,
  sawDrift: (what: string) => void,
): IntakeDeps<NewEvent> {
  return {
    async receive(waitSeconds, signal) {
      const messages = await receiver.receive(queueUrl, { max: 10, waitSeconds, signal });
      return messages.flatMap(({ receiptHandle, body }) => takenMessage(receiptHandle, body, sawDrift));
    },
    async write(rows) {
      const { inserted } = await db.transaction(async (tx) => {
        await assertFence(tx, tenantId, fence);
        return takeIn(tx, tenantId, rows);
      });
      return inserted;
    },
    async remove(handles) {
      // What SQS fails to delete is seen again after its visibility timeout, and found in the ledger then.
      await receiver.deleteBatch(queueUrl, handles).catch(() => undefined);
    },
  };
}

/** One that is not ours is left in the queue, which moves it to the dead-letter queue after its receives. */
function takenMessage(handle: string, text: string, sawDrift: (what: string) => void): TakenMessage<NewEvent>[] {
  const delivery = decodeDelivery(text);
  if (delivery === null) return [];
  const facts = eventFacts(delivery.body);
  if (facts === null) return [{ handle, row: null }];
  const { unknownType, ...event } = facts;
  if (unknownType) sawDrift(`event ${event.type}`);
  const receivedAt = new Date(delivery.acceptedAt);
  return [{ handle, row: { ...event, receivedAt, way: 'queue', body: delivery.body } }];
}

export function extractDeps(
  { db, tenantId, fence }: Fenced,
  { settleMs, settleMaxMs, patienceMs }: DrainLimits,
): Pick<ExtractDeps, 'due' | 'nextDueMs' | 'store' | 'lastRead' | 'patienceMs'> {
  const settling = (except: ReadonlySet<string>) => ({
    settleMs,
    settleMaxMs,
    excluding: [...except],
  });
  return {
    async due(limit, except) {
      const due = await selectDue(db, tenantId, { ...settling(except), limit, newestShare: NEWEST_SHARE });
      if (due.length === 0) return [];
      const events = await waitingEvents(
        db,
        tenantId,
        due.map(({ conversationId }) => conversationId),
      );
      const stored = await storedOf(
        db,
        tenantId,
        due.map(({ conversationId }) => conversationId),
      );
      return due.map(({ conversationId, attempts }): DueConversation => {
        const waiting = events.get(conversationId) ?? [];
        return { conversationId, events: waiting, isStored: stored.has(conversationId), failures: attempts };
      });
    },
    patienceMs,
    lastRead: (limit) => lastRead(db, tenantId, limit),
    nextDueMs: (except) => nextDueMs(db, tenantId, settling(except)),
    async store(results) {
      await db.transaction(async (tx) => {
        // Pending conversations are locked here before writeConversations locks the rest; a deadlock that follows is retried (db.ts). A stale fence rolls both back.
        await reschedule(tx, tenantId, results.flatMap(failureOf));
        await writeConversations(tx, tenantId, fence, results);
      });
    },
  };
}

const failureOf = ({ conversationId, failed }: ConversationResult) =>
  failed === null ? [] : [{ conversationId, ...failed }];
