import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startSimulator } from '../../../simulator/simulator.ts';
import { connect, type Gladly, startGladly } from '../../support/simulator/gladly.ts';
import { startReceiver } from '../../support/simulator/receiver.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const logLineSchema = z.looseObject({ msg: z.string(), url: z.string().optional() });

/** The simulator as a process of its own, as users run it. */
async function startProcess(
  dataDir: string,
  more: Record<string, string> = {},
): Promise<{ gladly: Gladly; child: ChildProcess }> {
  const main = new URL('../../../simulator/environment.ts', import.meta.url).href;
  const script = `const { runSimulator } = await import(${JSON.stringify(main)}); await runSimulator(process.env);`;
  const env = { DATA_DIR: dataDir, SIMULATOR_PORT: '0', SIMULATOR_RATE: '0', SIMULATOR_QUOTA: '100000', ...more };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await firstUrl(child);
  return { gladly: connect({ url }, 'gladly', async () => void child.kill()), child };
}

async function firstUrl({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the process has no output');
  for await (const line of createInterface({ input: stdout })) {
    const { url } = logLineSchema.parse(JSON.parse(line));
    if (url !== undefined) return url;
  }
  throw new Error('the simulator has ended');
}

async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Everything that has to be the same after a restart. */
async function everything(gladly: Gladly) {
  const page = z.object({ conversations: z.array(z.looseObject({ id: z.string() })) });
  const { conversations } = await gladly.control(page, 'GET', '/conversations?limit=10000');
  return {
    dumps: await Promise.all(conversations.map(({ id }) => gladly.dump(id))),
    users: await gladly.control(z.unknown(), 'GET', '/users'),
    events: await gladly.control(z.unknown(), 'GET', '/events?limit=10000'),
    deliveries: await gladly.deliveries('limit=10000'),
    webhooks: (await gladly.api('GET', '/webhooks')).json,
    topics: (await gladly.api('GET', '/topics')).json,
  };
}

test('SIGKILL loses nothing: state, tokens, roles, and resends with their times', async () => {
  const folder = temporaryFolder();
  const receiver = await startReceiver();
  const before = await startProcess(folder);
  await before.gladly.subscribe(receiver.url, { headers: { 'x-api-key': 'key' } });
  await before.gladly.emit({ count: 200 });
  await before.gladly.settled();
  receiver.replyWith(503);
  await before.gladly.emit({ count: 20 });
  await before.gladly.quiet();
  const known = await everything(before.gladly);
  expect(known.deliveries.filter(({ state }) => state === 'pending')).toHaveLength(20);
  await killHard(before.child);

  receiver.replyWith(200);
  const sentBefore = receiver.events();
  const after = await startProcess(folder);
  expect(await everything(after.gladly)).toEqual(known);
  await after.gladly.set({ clockFactor: 5000 });
  expect(await after.gladly.settled()).toMatchObject({ settled: true });
  const resent = receiver.events().slice(sentBefore.length);
  expect(resent.map(({ text }) => text).sort()).toEqual(
    sentBefore
      .slice(-20)
      .map(({ text }) => text)
      .sort(),
  );
  expect(resent.every(({ headers }) => headers['x-api-key'] === 'key')).toBe(true);
});

test('killed in the middle of delivering, it delivers every event all the same', async () => {
  const folder = temporaryFolder();
  const receiver = await startReceiver();
  const before = await startProcess(folder);
  await before.gladly.subscribe(receiver.url);
  const emitted = before.gladly.emit({ count: 3000, ratePerSecond: 3000 }).catch(() => undefined);
  await expect.poll(() => receiver.events().length).toBeGreaterThan(200);
  await killHard(before.child);
  await emitted;

  const { gladly } = await startProcess(folder);
  await gladly.settled();
  const { events } = await gladly.control(
    z.object({ events: z.array(z.looseObject({ id: z.string() })) }),
    'GET',
    '/events?limit=10000',
  );
  const deliveries = (await gladly.deliveries('limit=10000')).filter(({ type }) => type !== 'PING');
  const sentIds = new Set(receiver.events().map(({ event }) => event.id));
  expect(deliveries.every(({ state, eventId }) => state === 'delivered' && sentIds.has(eventId))).toBe(true);
  const history = events.length - deliveries.length;
  expect(new Set(events.slice(history).map(({ id }) => id))).toEqual(sentIds);
});

test('the same calls give the same events whether or not there was a restart between them', async () => {
  const options = { seed: 'steady', conversations: 8 };
  const through = await startGladly(options);
  const expected = [...(await through.emit({ count: 90 })).events, ...(await through.emit({ count: 90 })).events];

  const dataDir = temporaryFolder();
  const first = await startGladly({ ...options, dataDir });
  const half = (await first.emit({ count: 90 })).events;
  await first.close();
  const second = await startGladly({ ...options, dataDir });
  expect([...half, ...(await second.emit({ count: 90 })).events]).toEqual(expected);
});

test("Gladly's clock goes on from where it was, also with another factor", async () => {
  const dataDir = temporaryFolder();
  const fast = await startGladly({ dataDir, clockFactor: 100_000 });
  await new Promise((resolve) => setTimeout(resolve, 60));
  const ahead = Date.parse((await fast.summary()).now);
  expect(ahead).toBeGreaterThan(Date.now() + 3_600_000);
  await fast.close();
  const slow = await startGladly({ dataDir });
  const resumed = Date.parse((await slow.summary()).now);
  expect(resumed).toBeGreaterThanOrEqual(ahead);
  expect((await slow.summary()).settings.clockFactor).toBe(1);
});

test('another seed on the same folder is an error that says what to do', async () => {
  const dataDir = temporaryFolder();
  await (await startGladly({ dataDir, seed: 'one' })).close();
  await expect(startSimulator({ dataDir, seed: 'two' })).rejects.toThrow(/seed "one".*SIMULATOR_SEED is "two"/);
  // The failed start has let go of the folder.
  await startGladly({ dataDir, seed: 'one' });
});

test('two simulators on one folder: the second does not start', async () => {
  const dataDir = temporaryFolder();
  await startGladly({ dataDir });
  await expect(startSimulator({ dataDir })).rejects.toThrow(/Is another simulator running on the same DATA_DIR/);
});

test('a port that is taken is an error, and the folder is let go', async () => {
  const dataDir = temporaryFolder();
  const taken = Number(new URL((await startGladly()).url).port);
  await expect(startSimulator({ dataDir, port: taken })).rejects.toThrow(/EADDRINUSE/);
  await startGladly({ dataDir });
});
