import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { answers, freePort } from '../ports.ts';

/** `npm start` with ports and a folder of its own. */
export interface World {
  readonly apiUrl: string;
  readonly temporalUiUrl: string;
  readonly operatorKey: string;
  /** Our API as an operator; throws when the answer is no 2XX. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /** The simulated Gladly's control API. */
  gladly(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Where it is, as it is given for a domain. */
  readonly gladlyDomain: string;
  /** Connects a tenant to the simulated Gladly, and resolves when it is. Answers the id of its token there. */
  connect(tenantId: string, name: string): Promise<string>;
  /** Resolves when the tenant's extraction is in this state. */
  reaches(tenantId: string, state: string): Promise<void>;
  stop(): Promise<void>;
}

/** The usual ones, as they are seen in pictures; another where one is taken. */
const PORTS = {
  API_PORT: 3000,
  TEMPORAL_PORT: 7233,
  TEMPORAL_UI_PORT: 8233,
  SQS_PORT: 4566,
  SIMULATOR_PORT: 3900,
};

const START_MS = 90_000;
const REACH_MS = 60_000;

const keys = z.object({ operatorKey: z.string(), secretKeys: z.string() });
const users = z.object({ users: z.array(z.object({ id: z.string(), roles: z.array(z.string()) })) });
const madeToken = z.object({ tokenId: z.string(), email: z.string(), apiToken: z.string() });
const status = z.object({
  onboarding: z.object({ state: z.string() }).nullable(),
  extraction: z.object({ state: z.string() }).nullable(),
});

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'screenshots-'));
  const ports = Object.fromEntries(
    await Promise.all(
      Object.entries(PORTS).map(async ([name, port]): Promise<[string, string]> => {
        const taken = await answers(port);
        return [name, String(taken ? await freePort() : port)];
      }),
    ),
  );
  const main = join(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...ports, DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  const stop = async (): Promise<void> => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
    child.kill('SIGINT');
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until('npm start', START_MS, async () => {
      if (child.exitCode !== null) throw new Error(`npm start ended:\n${said}`);
      return said.includes('The first conversation is stored');
    });
  } catch (error) {
    await stop();
    throw error;
  }

  const { operatorKey } = keys.parse(JSON.parse(await readFile(join(folder, 'keys.json'), 'utf8')));
  const apiUrl = `http://127.0.0.1:${ports['API_PORT']}`;
  const gladlyHost = `127.0.0.1:${ports['SIMULATOR_PORT']}`;
  const api = (method: string, path: string, body?: unknown) =>
    call(method, apiUrl + path, body, { authorization: `Bearer ${operatorKey}` });
  const gladly = (method: string, path: string, body?: unknown) => call(method, `http://${gladlyHost}${path}`, body);
  const look = async (tenantId: string) => status.parse(await api('GET', `/v1/tenants/${tenantId}`));
  return {
    apiUrl,
    temporalUiUrl: `http://127.0.0.1:${ports['TEMPORAL_UI_PORT']}`,
    operatorKey,
    api,
    gladly,
    gladlyDomain: gladlyHost,
    async connect(tenantId, name) {
      await api('POST', '/v1/tenants', { tenantId, name, webhookSetup: 'create_for_me' });
      const all = users.parse(await gladly('GET', '/simulator/users'));
      const user = all.users.find(({ roles }) => roles.length === 3);
      const { tokenId, email, apiToken } = madeToken.parse(await gladly('POST', `/simulator/users/${user?.id}/tokens`));
      await api('PUT', `/v1/tenants/${tenantId}/credentials`, { domain: gladlyHost, email, apiToken });
      await until(
        `${tenantId} is connected`,
        REACH_MS,
        async () => (await look(tenantId)).onboarding?.state === 'done',
      );
      return tokenId;
    },
    reaches: (tenantId, state) =>
      until(`${tenantId} is ${state}`, REACH_MS, async () => (await look(tenantId)).extraction?.state === state),
    stop,
  };
}

async function call(
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text.slice(0, 300)}`);
  return text === '' ? null : JSON.parse(text);
}

async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs / 1_000} s`);
    await sleep(100);
  }
}
