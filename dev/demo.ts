import { setTimeout as delay } from 'node:timers/promises';

/** The tenant that is connected to the simulated Gladly by itself. */
export const DEMO_TENANT = 'demo';

/** How the simulated Gladly knows the integration's user. */
export interface DemoCredentials {
  readonly email: string;
  readonly apiToken: string;
}

export interface DemoOptions {
  readonly apiUrl: string;
  readonly operatorKey: string;
  /** Host and port of the simulated Gladly. */
  readonly domain: string;
  readonly credentials: DemoCredentials;
  readonly signal: AbortSignal;
}

/** The API answered something that connecting a tenant has no use for. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

const REQUEST_TIMEOUT_MS = 10_000;
/** The API may be up before Temporal answers it; a person would try again as well. */
const ATTEMPTS = 20;
const RETRY_MS = 500;
const LOOK_MS = 200;

/** Connects the demo tenant over HTTP, as an operator would; one that an earlier start has connected stays as it is. */
export async function connectDemoTenant(options: DemoOptions): Promise<void> {
  const { domain, credentials } = options;
  const created = await ask(options, 'POST', '/v1/tenants', {
    tenantId: DEMO_TENANT,
    name: 'Demo organization',
    webhookSetup: 'create_for_me',
  });
  if (created.status !== 201 && created.status !== 409) throw refused('to create the tenant', created);
  if (created.status === 409 && !(await waitsForCredentials(options))) return;
  const accepted = await ask(options, 'PUT', `/v1/tenants/${DEMO_TENANT}/credentials`, { domain, ...credentials });
  if (accepted.status !== 202) throw refused('the credentials', accepted);
}

/** The page on which the demo tenant's Gladly administrator would connect it; undefined when there is no such tenant. */
export async function demoConnectUrl(options: DemoOptions): Promise<string | undefined> {
  const status = await ask(options, 'GET', `/v1/tenants/${DEMO_TENANT}`);
  const found: unknown = status.status === 200 ? JSON.parse(status.text) : null;
  if (typeof found !== 'object' || found === null || !('connectUrl' in found)) return undefined;
  return typeof found.connectUrl === 'string' ? found.connectUrl : undefined;
}

/** Resolves once a conversation of the demo tenant is stored. */
export async function firstConversation(options: DemoOptions): Promise<void> {
  while (!options.signal.aborted) {
    const feed = await askOnce(options, 'GET', `/v1/tenants/${DEMO_TENANT}/conversations?limit=1`).catch(
      () => undefined,
    );
    if (feed?.status === 200 && feed.text.trim().length > '{}'.length) return;
    await delay(LOOK_MS, undefined, { signal: options.signal });
  }
}

/** True when an earlier start made the tenant and was killed before it gave the credentials. */
async function waitsForCredentials(options: DemoOptions): Promise<boolean> {
  const status = await ask(options, 'GET', `/v1/tenants/${DEMO_TENANT}`);
  return status.text.includes('"credentials_missing"');
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(options: DemoOptions, method: string, path: string, body?: unknown): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await askOnce(options, method, path, body);
      if (answer.status < 500 || attempt === ATTEMPTS) return answer;
    } catch (error) {
      if (attempt === ATTEMPTS || options.signal.aborted) throw error;
    }
    await delay(RETRY_MS, undefined, { signal: options.signal });
  }
}

async function askOnce(options: DemoOptions, method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${options.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${options.operatorKey}`, 'content-type': 'application/json' },
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** The answer is our own API's problem document; it holds no secret. */
function refused(what: string, { status, text }: Answer): DemoError {
  return new DemoError(`the API refused ${what} of the demo tenant with ${status}: ${text.slice(0, 500)}`);
}
