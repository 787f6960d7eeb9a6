import { readConfig } from '../../../src/config.ts';
import { createPayloadCodec } from '../../../src/temporal/payload-codec.ts';
import type { TestGladly } from './gladly.ts';
import type { World } from './world.ts';

/** A text that must not be found, under a name that may be shown. */
export interface Secret {
  readonly name: string;
  readonly text: string;
}

export const tokensOf = (organizations: readonly Pick<TestGladly, 'email' | 'apiToken'>[]): Secret[] =>
  organizations.flatMap(({ email, apiToken }, n) => [
    { name: `token ${n}`, text: apiToken },
    { name: `Basic credentials ${n}`, text: Buffer.from(`${email}:${apiToken}`).toString('base64') },
  ]);

/**
 * Where in a world secrets can be read: each log line, each row of each table, and each history, its payloads opened. The answer names
 * secret and place.
 */
export async function findSecrets(world: World, secrets: readonly Secret[]): Promise<readonly string[]> {
  const found: string[] = [];
  const search = (place: string, text: string): void => {
    for (const { name, text: secret } of secrets) {
      const forms = [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')];
      if (forms.some((form) => text.includes(form))) found.push(`${name} in ${place}`);
    }
  };
  for (const line of world.log) search('the log', line);
  for (const [table, row] of await rowsOf(world)) search(`table ${table}`, row);
  for (const [workflowId, text] of await historiesOf(world)) search(`the history of ${workflowId}`, text);
  return found;
}

async function rowsOf({ db }: World): Promise<(readonly [table: string, row: string])[]> {
  const { rows: tables } = await db.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const all: (readonly [string, string])[] = [];
  for (const { name } of tables) {
    const { rows } = await db.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`);
    all.push(...rows.map(({ row }) => [name, row] as const));
  }
  return all;
}

async function historiesOf({ env, variables }: World): Promise<(readonly [workflowId: string, text: string])[]> {
  const codec = createPayloadCodec(readConfig(variables, 'api').SECRET_KEYS);
  const all: (readonly [string, string])[] = [];
  for await (const { workflowId, runId } of env.client.workflow.list()) {
    const history = await env.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const texts: string[] = [];
    for (const payload of payloadsIn(history)) {
      const decrypted = await codec.decode([payload]);
      texts.push(...decrypted.map(({ data }) => Buffer.from(data ?? []).toString('utf8')));
    }
    all.push([workflowId, texts.join('\n') + JSON.stringify(history)]);
  }
  return all;
}

interface PayloadLike {
  readonly metadata: Record<string, Uint8Array>;
  readonly data: Uint8Array;
}

/** Wherever they stand: inputs, results, heartbeats, failures, memos. */
function* payloadsIn(value: unknown): Generator<PayloadLike> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (isPayload(value)) yield value;
  else for (const inner of Object.values(value)) yield* payloadsIn(inner);
}

const isPayload = (value: object): value is PayloadLike =>
  'metadata' in value && 'data' in value && value.data instanceof Uint8Array;
