import type { Client } from '@temporalio/client';
import { EXTRACTION_WORKFLOW } from '../../contracts/extraction.ts';
import { ONBOARDING_WORKFLOW } from '../../contracts/onboarding.ts';
import { SWEEP_ID, SWEEP_WORKFLOW } from '../../contracts/sweep.ts';
import { type SealedCredentials, sealedCredentials } from '../../store/credentials.ts';
import type { Db } from '../../store/db.ts';
import type { SecretBox } from '../../store/secret-box.ts';
import { closedHistories, type KeyUse, keyUseOf, openWorkflowIds, scheduleKeyIds } from '../../temporal/key-use.ts';
import type { Found } from './report.ts';

export interface KeyDeps {
  readonly client: Client;
  readonly db: Db;
  readonly secretBox: SecretBox;
  /** Ids of the keys of SECRET_KEYS, in their order. */
  readonly configured: readonly string[];
}

/** Ours; others may share the namespace, and have keys of their own. */
const TYPES = [ONBOARDING_WORKFLOW, EXTRACTION_WORKFLOW, SWEEP_WORKFLOW];

/** Histories that are read at a time; a page of one is 4 MB at most. */
const AT_ONCE = 8;

/** Looks at every open workflow and every sealed row. */
export async function look({ client, db, secretBox, configured }: KeyDeps): Promise<Found> {
  const runs: KeyUse[] = [];
  await concurrently(openWorkflowIds(client, TYPES), async (workflowId) => {
    const use = await keyUseOf(client, workflowId);
    if (use !== null) runs.push(use);
  });
  const rows: SealedCredentials[] = [];
  for await (const row of sealedCredentials(db, secretBox)) rows.push(row);
  const schedules = new Map([[SWEEP_ID, await scheduleKeyIds(client, SWEEP_ID)]]);
  return { configured, runs, rows, schedules, closed: await closedHistories(client, TYPES) };
}

/** Works on the items of a list while it is read, AT_ONCE of them at a time. */
export async function concurrently<T>(items: AsyncIterable<T> | Iterable<T>, work: (item: T) => Promise<void>) {
  const shared = (async function* () {
    yield* items;
  })();
  const lane = async (): Promise<void> => {
    for (let next = await shared.next(); next.done !== true; next = await shared.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
