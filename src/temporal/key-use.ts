import {
  type Client,
  isGrpcServiceError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { isEncrypted, keyIdOf } from './payload-codec.ts';

/** Under which keys the payloads of an open workflow are, wherever they stand in Temporal. */
export interface KeyUse {
  readonly workflowId: string;
  readonly runId: string;
  /** The key of its input: of whoever began this run. Null when it has no input, or a plain one. */
  readonly begunUnder: string | null;
  readonly keyIds: ReadonlySet<string>;
}

/** Of a call. Pages of a history are 4 MB at most. */
const DEADLINE_MS = 30_000;
/** gRPC's. */
const NOT_FOUND = 5;
/** Workflows in one answer of a list. */
const LISTED = 500;
const KEY_ID = /^[\w-]{1,60}$/;
/** What is sealed, and under no key of ours. */
export const NO_KEY = '(no id of a key)';

/**
 * Ids of all open workflows of these types, also of those that are paused in Temporal, each once. Lists lag some moments behind: a
 * workflow that has just begun a new history may be in them twice.
 */
export async function* openWorkflowIds(client: Client, types: readonly string[]): AsyncGenerator<string> {
  const query = `${ofTypes(types)} AND CloseTime IS NULL`;
  const seen = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query, pageSize: LISTED })) {
    if (!seen.has(workflowId)) yield workflowId;
    seen.add(workflowId);
  }
}

/** Histories of workflows of these types that have ended and are still kept, and for how long (in days): Temporal UI opens them with the keys that they are under. */
export async function closedHistories(
  client: Client,
  types: readonly string[],
): Promise<{ readonly count: number; readonly keptDays: number }> {
  const { namespace } = client.options;
  const [{ count }, { config }] = await Promise.all([
    within(client, () => client.workflow.count(`${ofTypes(types)} AND CloseTime IS NOT NULL`)),
    within(client, () => client.workflowService.describeNamespace({ namespace })),
  ]);
  return { count, keptDays: Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400 };
}

/** What its newest run holds: history, memo, and what its pending activities have told. Null when it has ended. */
export async function keyUseOf(client: Client, workflowId: string): Promise<KeyUse | null> {
  const now = await described(client, workflowId);
  if (now === null) return null;
  const { runId } = now;
  const keyIds = new Set(keyIdsIn(now.raw));
  let begunUnder: string | null = null;
  try {
    for await (const events of pagesOf(client, workflowId, runId)) {
      const begun = events[0]?.workflowExecutionStartedEventAttributes;
      begunUnder ??= [...keyIdsIn(begun?.input)][0] ?? null;
      for (const id of keyIdsIn(events)) keyIds.add(id);
    }
    return { workflowId, runId, begunUnder, keyIds };
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** Its newest run; null when it has ended. */
export async function openRunOf(client: Client, workflowId: string): Promise<string | null> {
  return (await described(client, workflowId))?.runId ?? null;
}

/** Null when it has ended. */
async function described(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    const description = await within(client, () => client.workflow.getHandle(workflowId).describe());
    return ['RUNNING', 'PAUSED'].includes(description.status.name) ? description : null;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** The keys of what a Schedule starts; empty when there is no such Schedule. */
export async function scheduleKeyIds(client: Client, scheduleId: string): Promise<ReadonlySet<string>> {
  const { namespace } = client.options;
  try {
    const described = await within(client, () => client.workflowService.describeSchedule({ namespace, scheduleId }));
    return new Set(keyIdsIn(described));
  } catch (error) {
    if (isNotFound(error)) return new Set();
    throw error;
  }
}

async function* pagesOf(client: Client, workflowId: string, runId: string) {
  const { namespace } = client.options;
  for (let nextPageToken: Uint8Array = new Uint8Array(); ; ) {
    const request = { namespace, execution: { workflowId, runId }, nextPageToken };
    const page = await within(client, () => client.workflowService.getWorkflowExecutionHistory(request));
    yield page.history?.events ?? [];
    nextPageToken = page.nextPageToken ?? new Uint8Array();
    if (nextPageToken.length === 0) return;
  }
}

/** The keys of all encrypted payloads in a message of Temporal's: inputs, results, signals, markers, memos, headers, failures, heartbeats, summaries. */
export function* keyIdsIn(message: unknown): Generator<string> {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return;
  if (isPayload(message) && isEncrypted(message)) yield nameOf(keyIdOf(message));
  else for (const part of Object.values(message)) yield* keyIdsIn(part);
}

const isPayload = (message: object): message is Payload =>
  'metadata' in message && typeof message.metadata === 'object' && 'data' in message;

/** Whoever can signal a workflow chooses it, and people read it in a terminal. */
const nameOf = (id: string | null): string => (id !== null && KEY_ID.test(id) ? id : NO_KEY);

const ofTypes = (types: readonly string[]): string =>
  `WorkflowType IN (${types.map((type) => `'${type}'`).join(', ')})`;

const within = <T>(client: Client, call: () => Promise<T>): Promise<T> =>
  client.withDeadline(Date.now() + DEADLINE_MS, call);

const isNotFound = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && error.code === NOT_FOUND);
