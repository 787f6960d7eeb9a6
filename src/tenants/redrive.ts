import type { QueueUrls } from '../queue/names.ts';
import type { Queues } from '../queue/provision.ts';
import type { Receiver } from '../queue/receiver.ts';
import type { Db } from '../store/db.ts';
import { restoreRejected } from '../store/ledger/rejected.ts';
import { takeInApart } from '../store/ledger/take-in-apart.ts';
import { queuedEvent } from './queued-event.ts';

export interface RedriveOptions {
  /** Counts, and changes nothing. */
  readonly dryRun: boolean;
  /** Only these events; without it, all. */
  readonly eventIds?: readonly string[] | undefined;
}

export interface Redriven {
  readonly dryRun: boolean;
  /** Rejected events that wait again, or would. */
  readonly rejected: number;
  /** Rejected events that name no conversation: there is nothing to read for them, and they stay. */
  readonly unusable: number;
  /** Messages of the dead-letter queue that are in the ledger now, or would be looked at. */
  readonly deadLetters: number;
  /** Dead letters that stay: not among the events that were asked for, or the database cannot keep them in any form. */
  readonly deadLettersLeft: number;
}

/** At most this many messages a call, so that a request ends; call again for more. */
const DEAD_LETTERS_A_CALL = 5_000;

export interface RedriveDeps {
  readonly db: Db;
  readonly queues: Queues;
  readonly receiver: Receiver;
}

/**
 * Brings back what was set aside, with a fresh count: rejected events of the ledger, and dead letters, which go into the ledger as any
 * message does (SQS's own move task is not everywhere: fauxqs lacks it). Idempotent.
 */
export async function redrive(
  { db, queues, receiver }: RedriveDeps,
  tenantId: string,
  urls: QueueUrls | null,
  { dryRun, eventIds }: RedriveOptions,
): Promise<Redriven> {
  const { restored, unusable } = await restoreRejected(db, tenantId, { dryRun, ...(eventIds ? { eventIds } : {}) });
  const counted = { dryRun, rejected: restored, unusable };
  if (urls === null) return { ...counted, deadLetters: 0, deadLettersLeft: 0 };
  if (dryRun) {
    const { dead } = await queues.depths(urls);
    return { ...counted, deadLetters: dead.waiting + dead.inFlight, deadLettersLeft: 0 };
  }
  const letters = await takeInDeadLetters({ db, receiver }, tenantId, urls.dead, eventIds && new Set(eventIds));
  return { ...counted, deadLetters: letters.taken, deadLettersLeft: letters.left };
}

async function takeInDeadLetters(
  { db, receiver }: Pick<RedriveDeps, 'db' | 'receiver'>,
  tenantId: string,
  deadUrl: string,
  wanted: ReadonlySet<string> | undefined,
): Promise<{ readonly taken: number; readonly left: number }> {
  let taken = 0;
  const left: string[] = [];
  while (taken + left.length < DEAD_LETTERS_A_CALL) {
    // What was received stays invisible until all have been seen, so the loop ends.
    const messages = await receiver.receive(deadUrl, { max: 10, waitSeconds: 1 });
    if (messages.length === 0) break;
    const letters = messages.map((message) => ({ ...message, row: queuedEvent(message)?.row ?? null }));
    const chosen = letters.filter(({ row }) => wanted === undefined || (row !== null && wanted.has(row.eventId)));
    const { refused } = await takeInApart(
      db,
      tenantId,
      chosen.flatMap(({ row }) => row ?? []),
    );
    const done = new Set(chosen.filter(({ row }) => row === null || !refused.includes(row)));
    left.push(...letters.filter((letter) => !done.has(letter)).map(({ receiptHandle }) => receiptHandle));
    await receiver.deleteBatch(
      deadUrl,
      [...done].map(({ receiptHandle }) => receiptHandle),
    );
    taken += done.size;
  }
  await receiver.release(deadUrl, left);
  return { taken, left: left.length };
}
