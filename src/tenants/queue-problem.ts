import { type ProblemOf, problem } from '../contracts/problems.ts';
import { ForeignQueueError, failureFrom, isDeletedRecently, isNoSuchQueue } from '../queue/errors.ts';

export type QueueProblem = ProblemOf<
  'queue_missing' | 'queue_refused' | 'queue_foreign' | 'queue_deleted_recently' | 'queue_unavailable'
>;

/** What an error of a queue means, in the words of the catalogue. `evidence` names the kind and SQS's code, never a text of SQS. */
export function queueProblem(error: unknown): { readonly problem: QueueProblem; readonly evidence: string } {
  if (error instanceof ForeignQueueError) {
    return { problem: problem('queue_foreign', { queue: error.queue }), evidence: 'tagged as another tenant’s' };
  }
  const { kind, code } = failureFrom(error);
  return { problem: problemOf(error, kind, code), evidence: `${kind}: ${code}` };
}

function problemOf(error: unknown, kind: string, code: string): QueueProblem {
  if (isDeletedRecently(error)) return problem('queue_deleted_recently');
  if (isNoSuchQueue(error)) return problem('queue_missing');
  return kind === 'refused' || kind === 'denied' ? problem('queue_refused', { code }) : problem('queue_unavailable');
}
