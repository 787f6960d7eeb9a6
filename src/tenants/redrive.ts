import type { Problem } from '../contracts/problems.ts';
import type { QueueUrls } from '../queue/names.ts';
import type { Queues } from '../queue/provision.ts';
import type { Receiver } from '../queue/receiver.ts';
import type { Db } from '../store/db.ts';
import { restoreRejected } from '../store/ledger/rejected.ts';
import { takeInApart } from '../store/ledger/take-in-apart.ts';
import { queueProblem } from './queue-problem.ts';
import { queuedEvent, readAnew } from './queued-event.ts';

export interface RedriveOptions {
  /** Counts, and changes nothing. */
  readonly dryRun: boolean;
  /** Only these events; without it, all. */
  readonly eventIds?: readonly string[] | undefined;
  /** Events that are gone as well: what they are about may be in Gladly after all. */
  readonly gone?: boolean | undefined;
}

export interface Redriven {
  readonly dryRun: boolean;
  /** Rejected events that wait again, or would. */
  readonly rejected: number;
  /** The same of events that were gone; 0 unless they were asked for. */
  readonly gone: number;
  /** Rejected events that name no conversation, read anew too: there is nothing to read for them, and they stay. */
  readonly unusable: number;
  /** Messages of the dead-letter queue that are in the ledger now, or would be looked at. */
  readonly deadLetters: number;
  /** Dead letters that stay: not among the events that were asked for, or the database cannot keep them in any form. */
  readonly deadLettersLeft: number;
  /** Code of the problem for which the dead letters could not be looked at, or not at all of them; null when they were. */
  readonly deadLetterProblem: Problem['code'] | null;
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
  { dryRun, eventIds, gone = false }: RedriveOptions,
): Promise<Redriven> {
  const options = { dryRun, gone, read: readAnew, ...(eventIds ? { eventIds } : {}) };
  const { restored, restoredGone, unusable } = await restoreRejected(db, tenantId, options);
  const counted = { dryRun, rejected: restored, gone: restoredGone, unusable };
  const none = { ...counted, deadLetters: 0, deadLettersLeft: 0, deadLetterProblem: null };
  if (urls === null) return none;
  if (dryRun) {
    try {
      const { dead } = await queues.depths(urls);
      return { ...none, deadLetters: dead.waiting + dead.inFlight };
    } catch (error) {
      return { ...none, deadLetterProblem: queueProblem(error).problem.code };
    }
  }
  const letters = await takeInDeadLetters({ db, receiver }, tenantId, urls.dead, eventIds && new Set(eventIds));
  return { ...counted, deadLetters: letters.taken, deadLettersLeft: letters.left, deadLetterProblem: letters.problem };
}

async function takeInDeadLetters(
  { db, receiver }: Pick<RedriveDeps, 'db' | 'receiver'>,
  tenantId: string,
  deadUrl: string,
  wanted: ReadonlySet<string> | undefined,
): Promise<{ readonly taken: number; readonly left: number; readonly problem: Problem['code'] | null }> {
  let taken = 0;
  let problem: Problem['code'] | null = null;
  const left: string[] = [];
  while (taken + left.length < DEAD_LETTERS_A_CALL) {
    // What was received stays invisible until all have been seen, so the loop ends.
    const messages = await receiver.receive(deadUrl, { max: 10, waitSeconds: 1 }).catch((error: unknown) => {
      problem = queueProblem(error).problem.code;
      return [];
    });
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
    taken += done.size;
    const handles = [...done].map(({ receiptHandle }) => receiptHandle);
    // What SQS does not delete is found in the ledger the next time.
    await receiver.deleteBatch(deadUrl, handles).catch(() => undefined);
  }
  // What SQS does not release is visible again after its time.
  await receiver.release(deadUrl, left).catch(() => undefined);
  return { taken, left: left.length, problem };
}
