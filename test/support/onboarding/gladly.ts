import { demoCredentials, startSimulator } from '../../../simulator/simulator.ts';

/** One invented Gladly organization, with what a test does to it. */
export interface TestGladly {
  /** host:port, as it is given as a domain. */
  readonly host: string;
  readonly email: string;
  readonly apiToken: string;
  /** Gladly's REST API as the integration user. Throws when the answer is no 2XX. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /** The simulator's control API. */
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  fault(fault: object): Promise<void>;
  clearFaults(): Promise<void>;
  setRoles(roles: readonly string[]): Promise<void>;
  webhooks(): Promise<readonly GladlyWebhook[]>;
  close(): Promise<void>;
}

export interface GladlyWebhook {
  readonly id: string;
  readonly name?: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly headerKeys: readonly string[];
}

let count = 0;

/** A small organization that does nothing by itself. */
export async function startGladly(options: { readonly legacyEvents?: boolean } = {}): Promise<TestGladly> {
  count += 1;
  const seed = `onboarding-${process.pid}-${count}`;
  const simulator = await startSimulator({
    seed,
    rate: 0,
    customers: 3,
    conversations: 2,
    liveConversations: 3,
    allowHttpWebhooks: true,
    // What a test arranges is no part of what it measures.
    quotaPerSecond: null,
    ...options,
  });
  const { email, apiToken } = demoCredentials(seed);
  const basic = `Basic ${Buffer.from(`${email}:${apiToken}`).toString('base64')}`;

  const api = (method: string, path: string, body?: unknown) =>
    call(`${simulator.url}/api/v1${path}`, method, body, { authorization: basic });
  const control = (method: string, path: string, body?: unknown) =>
    call(`${simulator.url}/simulator${path}`, method, body);
  return {
    host: new URL(simulator.url).host,
    email,
    apiToken,
    api,
    control,
    fault: async (fault) => void (await control('POST', '/faults', fault)),
    clearFaults: async () => void (await control('DELETE', '/faults')),
    setRoles: async (roles) => {
      const { users } = (await control('GET', '/users')) as { users: { id: string; email: string }[] };
      const user = users.find((it) => it.email === email);
      await control('PATCH', `/users/${user?.id}`, { roles });
    },
    webhooks: async () => (await api('GET', '/webhooks')) as GladlyWebhook[],
    close: () => simulator.close(),
  };
}

export async function call(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok)
    throw new Error(`${method} ${new URL(url).pathname} answered ${answer.status}: ${text.slice(0, 300)}`);
  return text === '' ? null : JSON.parse(text);
}
