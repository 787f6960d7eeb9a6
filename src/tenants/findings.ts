import { type Problem, problem } from '../contracts/problems.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Db } from '../store/db.ts';
import { type FindingsChange, putFindings } from '../store/tenant-states.ts';
import { FINDINGS, isOfTheQueue, OF_THE_QUEUE, OF_WORKFLOWS, SET_ASIDE } from './finding-kinds.ts';
import { placed } from './projection.ts';
import { queueProblem } from './queue-problem.ts';

/**
 * Writes down whether the tenant's queue can be used: `error` is what SQS said, null when it can. Null when nothing changed, and when the error
 * says nothing about this queue.
 */
export async function recordQueue(db: Db, tenantId: TenantId, error: unknown): Promise<FindingsChange | null> {
  const found = error === null ? null : queueProblem(error).problem;
  if (found !== null && !isOfTheQueue(found)) return null;
  return await placed(db, tenantId, (tx) => putFindings(tx, tenantId, OF_THE_QUEUE, found === null ? [] : [found]));
}

/** Writes down what keeps the tenant's workflows from going on; null: nothing does. */
export async function recordWorkflows(
  db: Db,
  tenantId: TenantId,
  found: Problem | null,
): Promise<FindingsChange | null> {
  return await placed(db, tenantId, (tx) => putFindings(tx, tenantId, OF_WORKFLOWS, found === null ? [] : [found]));
}

/** Nothing is looked at any more: the tenant was disconnected. */
export async function withdrawFindings(db: Db, tenantId: TenantId): Promise<void> {
  await placed(db, tenantId, (tx) => putFindings(tx, tenantId, FINDINGS, []));
}

/** Writes down what was set aside and waits for somebody. `deadLetters` null: not known, and what was known stays. */
export async function recordSetAside(
  db: Db,
  tenantId: TenantId,
  { deadLetters, rejected }: { readonly deadLetters: number | null; readonly rejected: number },
): Promise<FindingsChange | null> {
  const codes = deadLetters === null ? (['events_rejected'] as const) : SET_ASIDE;
  const found = [
    ...(deadLetters ? [problem('dead_letters_waiting', { count: deadLetters })] : []),
    ...(rejected > 0 ? [problem('events_rejected', { count: rejected })] : []),
  ];
  return await placed(db, tenantId, (tx) => putFindings(tx, tenantId, codes, found));
}
