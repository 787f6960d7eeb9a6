import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { demoCredentials } from '../../../simulator/simulator.ts';

export interface TenantProof {
  readonly operatorKey: string;
  readonly programs: string;
  readonly app: string;
  readonly scratch: string;
}

const API = 'http://127.0.0.1:3000';
const UI = 'http://127.0.0.1:8080';
const GLADLY = 'http://127.0.0.1:3900';
const TENANT = '/v1/tenants/proof';
const EVENTS = 100;
const WAIT_MS = 60_000;
/** States of an extraction that nobody and nothing stopped. */
const RUNNING: readonly string[] = ['running', 'parked'];

const status = z.looseObject({
  state: z.string().nullable(),
  events: z.looseObject({
    inQueue: z.number().nullable(),
    waiting: z.number(),
    extracted: z.number(),
    gone: z.number(),
  }),
});

/**
 * The main job, from outside: connect, extract, pause, wait while paused, resume. What is paused at the end of one call is resumed in the
 * next, which is how a restart in between is proven. Throws what did not come about.
 */
export async function proveTenant(options: TenantProof): Promise<void> {
  const simulator = startSimulator(options);
  try {
    await until('the simulator answers', async () => (await fetch(`${GLADLY}/simulator`)).ok);
    const { operatorKey } = options;
    const isNew = await connect(operatorKey);
    if (!isNew) {
      await until(`it is still paused, and ${EVENTS} events still wait`, () => isPausedWith(operatorKey, EVENTS));
      await ask(operatorKey, 'POST', `${TENANT}/resume`, { reason: 'proof' });
      await until('they are extracted', () => isRunningWith(operatorKey, 2 * EVENTS));
    }
    await until('it is connected', async () => RUNNING.includes((await look(operatorKey)).state ?? ''));
    const { extracted, gone } = (await look(operatorKey)).events;
    await emit();
    await until(`${EVENTS} more are extracted`, () => isRunningWith(operatorKey, extracted + gone + EVENTS));
    await ask(operatorKey, 'POST', `${TENANT}/pause`, { reason: 'proof' });
    await until('it is paused', () => isPausedWith(operatorKey, 0));
    const cli = join(options.programs, 'temporal');
    await until('Temporal UI, if it is there, knows the codec server and lists it', uiIsRight);
    await until('Temporal lists it by its search attributes', () => listed(cli, 'TenantId="proof" AND State="paused"'));
    await emit();
    await until(`${EVENTS} events wait`, () => isPausedWith(operatorKey, EVENTS));
  } finally {
    simulator.kill('SIGTERM');
  }
}

/** True when the tenant is new. */
async function connect(key: string): Promise<boolean> {
  const made = await ask(key, 'POST', '/v1/tenants', {
    tenantId: 'proof',
    name: 'Proof',
    webhookSetup: 'create_for_me',
  });
  if (made === 409) return false;
  const { email, apiToken } = demoCredentials('gladly');
  await ask(key, 'PUT', `${TENANT}/credentials`, { domain: '127.0.0.1:3900', email, apiToken });
  return true;
}

async function look(key: string): Promise<z.output<typeof status>> {
  return status.parse(await (await request(key, 'GET', TENANT)).json());
}

async function isPausedWith(key: string, waiting: number): Promise<boolean> {
  const { state, events } = await look(key);
  return state === 'paused' && (events.inQueue ?? 0) + events.waiting === waiting;
}

async function isRunningWith(key: string, done: number): Promise<boolean> {
  const { state, events } = await look(key);
  return (
    RUNNING.includes(state ?? '') &&
    events.extracted + events.gone === done &&
    (events.inQueue ?? 0) + events.waiting === 0
  );
}

async function ask(key: string, method: string, path: string, body: unknown): Promise<number> {
  const answer = await request(key, method, path, body);
  if (!answer.ok && answer.status !== 409)
    throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status;
}

function request(key: string, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${API}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function emit(): Promise<void> {
  const answer = await fetch(`${GLADLY}/simulator/emit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ count: EVENTS, onlySubscribed: true, wait: true }),
  });
  if (!answer.ok) throw new Error(`the simulator emits nothing: ${answer.status} ${await answer.text()}`);
}

/** With the CLI that the set-up services use. */
function listed(cli: string, query: string): boolean {
  const words = ['workflow', 'list', '--namespace', 'default', '--query', query, '--output', 'json'];
  const found: unknown = JSON.parse(execFileSync(cli, words, { encoding: 'utf8' }));
  return Array.isArray(found) && found.length === 1;
}

/** Its own program answers with what the compose file's variables made of it, and reaches Temporal. */
async function uiIsRight(): Promise<boolean> {
  const settings = await fetch(`${UI}/api/v1/settings`).catch(() => undefined);
  if (settings === undefined) return true;
  const listing = await fetch(
    `${UI}/api/v1/namespaces/default/workflows?query=${encodeURIComponent('TenantId="proof"')}`,
  );
  const text = await settings.text();
  return (
    text.includes(`${API}/codec`) &&
    text.includes('"WorkflowPauseDisabled":true') &&
    (await listing.text()).includes('extraction/proof')
  );
}

function startSimulator({ app, scratch }: TenantProof): ChildProcess {
  const env = { DATA_DIR: join(scratch, 'simulator'), SIMULATOR_RATE: '0', SIMULATOR_QUOTA: '100', LOG_LEVEL: 'warn' };
  return spawn(process.execPath, ['simulator/main.ts'], {
    cwd: app,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const began = performance.now();
  let why = '';
  while (performance.now() - began < WAIT_MS) {
    try {
      if (await holds()) return say(`${what}: after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    await delay(200);
  }
  throw new Error(`not within ${WAIT_MS / 1000} s: ${what} ${why}`);
}

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
