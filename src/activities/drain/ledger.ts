import type { ReceivedMessage, Receiver } from '../../queue/receiver.ts';
import { lastRead, storedOf } from '../../store/conversations/stored.ts';
import { writeApart } from '../../store/conversations/write-apart.ts';
import type { Db } from '../../store/db.ts';
import { assertFence, StaleDrainError } from '../../store/drains.ts';
import { spreadMerges } from '../../store/ledger/merges.ts';
import { nextDueMs, selectDue } from '../../store/ledger/select-due.ts';
import { failingConversations } from '../../store/ledger/standstill.ts';
import type { NewEvent } from '../../store/ledger/take-in.ts';
import { takeInApart } from '../../store/ledger/take-in-apart.ts';
import { waitingEvents } from '../../store/ledger/waiting.ts';
import { queuedEvent } from '../../tenants/queued-event.ts';
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
  waitSeconds: number,
  sawDrift: (what: string) => void,
): IntakeDeps<NewEvent> {
  return {
    waitSeconds,
    async receive(seconds, signal) {
      const messages = await receiver.receive(queueUrl, { max: 10, waitSeconds: seconds, signal });
      return messages.map((message) => takenMessage(message, sawDrift));
    },
    write: (rows) => takeInApart(db, tenantId, rows, (tx) => assertFence(tx, tenantId, fence)),
    isAnothers: (error) => error instanceof StaleDrainError,
    async release(handles) {
      await receiver.release(queueUrl, handles).catch(() => undefined);
    },
    async remove(handles) {
      // What SQS fails to delete is seen again after its visibility timeout, and found in the ledger then.
      await receiver.deleteBatch(queueUrl, handles).catch(() => undefined);
    },
  };
}

function takenMessage(message: ReceivedMessage, sawDrift: (what: string) => void): TakenMessage<NewEvent> {
  const taken = { handle: message.receiptHandle, bytes: message.body.length };
  const event = queuedEvent(message);
  if (event?.unknownType) sawDrift(`event ${event.row.type}`);
  return { ...taken, row: event?.row ?? null };
}

export function extractDeps(
  { db, tenantId, fence }: Fenced,
  { settleMs, settleMaxMs, patienceMs }: DrainLimits,
): Pick<ExtractDeps, 'due' | 'nextDueMs' | 'store' | 'lastRead' | 'failing' | 'patienceMs'> {
  const settling = (except: ReadonlySet<string>) => ({
    settleMs,
    settleMaxMs,
    excluding: [...except],
  });
  let hasBegun = false;
  return {
    async due(limit, except) {
      // Merges that wait come behind no backlog for longer than a drain lasts.
      if (!hasBegun) await spreadMerges(db, tenantId, fence);
      hasBegun = true;
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
    failing: (limit) => failingConversations(db, tenantId, limit),
    async nextDueMs(except) {
      // A merge that was taken in last is no conversation that waits, until it is spread: nobody would come back for it.
      await spreadMerges(db, tenantId, fence);
      return await nextDueMs(db, tenantId, settling(except));
    },
    store: (results) => writeApart(db, tenantId, fence, results),
  };
}
