/**
 * `npm run smoke`: one event through the whole pipeline of a running instance, in under 5 s, and nothing of it is left afterwards.
 * It makes a tenant of its own, connects it to the simulated Gladly, has one conversation changed there, and waits for it in the
 * feed. API_URL, OPERATOR_KEY and SIMULATOR_URL say where; by default, those of `npm start` in this folder.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const LIMIT_MS = 5_000;
const CONNECT_MS = 30_000;

const api = process.env['API_URL'] ?? `http://127.0.0.1:${process.env['API_PORT'] ?? 3000}`;
const simulator = process.env['SIMULATOR_URL'] ?? `http://127.0.0.1:${process.env['SIMULATOR_PORT'] ?? 3900}`;
const tenantId = `smoke-${randomBytes(4).toString('hex')}`;
const key = process.env['OPERATOR_KEY'] ?? embeddedKey();

function embeddedKey(): string {
  const file = join(process.env['DATA_DIR'] ?? '.data', 'keys.json');
  if (!existsSync(file))
    throw new Error(
      `No OPERATOR_KEY is set and there is no ${file}: start the instance with npm start, or set the key.`,
    );
  return z.object({ operatorKey: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).operatorKey;
}

async function call(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url.replace(key, '…')}: ${response.status} ${text.slice(0, 300)}`);
  return text.startsWith('{"cursor"') || text === '' ? text : JSON.parse(text);
}

async function until<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs / 1_000} s`);
    await sleep(50);
  }
}

const status = z.object({
  connection: z.string(),
  onboarding: z.object({ state: z.string(), problem: z.unknown() }).loose().nullable(),
});
const readStatus = async () => status.parse(await call('GET', `${api}/v1/tenants/${tenantId}`));

async function connect(): Promise<void> {
  await call('POST', `${api}/v1/tenants`, { tenantId, name: 'Smoke test', webhookSetup: 'create_for_me' });
  const { users } = z
    .object({ users: z.array(z.object({ id: z.string(), roles: z.array(z.string()) })) })
    .parse(await call('GET', `${simulator}/simulator/users`));
  const user = users.find(({ roles }) => roles.length === 3);
  if (!user) throw new Error('The simulated Gladly has no user with all three roles.');
  const token = z
    .object({ tokenId: z.string(), email: z.string(), apiToken: z.string() })
    .parse(await call('POST', `${simulator}/simulator/users/${user.id}/tokens`));
  undo.push(() => call('DELETE', `${simulator}/simulator/tokens/${token.tokenId}`));
  const domain = new URL(simulator).host;
  await call('PUT', `${api}/v1/tenants/${tenantId}/credentials`, {
    domain,
    email: token.email,
    apiToken: token.apiToken,
  });
  await until('the onboarding', CONNECT_MS, async () =>
    (await readStatus()).onboarding?.state === 'done' ? true : undefined,
  );
}

async function oneEvent(): Promise<number> {
  const { id } = z
    .object({ id: z.string() })
    .parse(await call('POST', `${simulator}/simulator/conversations`, { items: 3 }));
  const began = performance.now();
  await call('POST', `${simulator}/simulator/emit`, { count: 1, conversationId: id, onlySubscribed: true });
  await until('the conversation in the feed', LIMIT_MS, async () => {
    const line = await call('GET', `${api}/v1/tenants/${tenantId}/conversations?after=0&limit=100`);
    return String(line).includes(id) ? true : undefined;
  });
  return performance.now() - began;
}

async function disconnect(): Promise<void> {
  await call('DELETE', `${api}/v1/tenants/${tenantId}`, {
    reason: 'end of the smoke test',
    discardWaitingEvents: true,
  });
  await until('the clean-up', CONNECT_MS, async () =>
    ['disconnected', 'cancelled'].includes((await readStatus()).connection) ? true : undefined,
  );
  await call('DELETE', `${api}/v1/tenants/${tenantId}/data`, { reason: 'end of the smoke test' });
}

const undo: (() => Promise<unknown>)[] = [];
const say = (text: string) => process.stdout.write(`${text}\n`);
try {
  await connect();
  undo.unshift(disconnect);
  const tookMs = await oneEvent();
  say(`One event went through the whole pipeline in ${Math.round(tookMs)} ms.`);
} catch (error) {
  process.stderr.write(`Smoke test failed: ${error instanceof Error ? error.message : String(error)}\n`);
  if (undo[0] !== disconnect) undo.unshift(disconnect);
  process.exitCode = 1;
} finally {
  for (const step of undo) {
    await step().catch((error: unknown) => {
      process.stderr.write(`Clean-up: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    });
  }
  if (process.exitCode === undefined) say('It has cleaned up after itself.');
}
