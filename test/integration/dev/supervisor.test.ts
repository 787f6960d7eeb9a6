import { chmodSync, existsSync, lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { identify, isAlive } from '../../../dev/processes.ts';
import { ALL_REAL, DevWorld, until } from '../../support/dev-world.ts';

const STORED = 'The first conversation is stored';
/** Parts get less than 5 s in all (test/unit/dev/stop-times.test.ts); the rest is for a machine that has other things to do. */
const STOPPED_MS = 15_000;

describe('the embedded world, whole', { timeout: 180_000 }, () => {
  test('comes up, says where everything is, stops soon after Ctrl-C and leaves no process', async () => {
    const world = (await DevWorld.make()).start();
    await world.saying(STORED, 150_000);
    for (const words of ['API', 'Temporal UI', 'simulated Gladly', 'demo tenant', 'status ', 'pause ', 'resume ']) {
      expect(world.output).toContain(words);
    }
    const pids = Object.values(world.run()).map(({ pid }) => pid);
    expect(pids).toHaveLength(8);
    expect(await reachableFromOutside(world)).toEqual([]);
    // Nor is there anything for another user of this machine.
    expect(readableByOthers(world.dataDir)).toEqual([]);
    const postgres = new URL(world.run()['postgres']?.url ?? '');
    expect(postgres.password.length).toBeGreaterThanOrEqual(43);
    postgres.password = 'wrong';
    await expect(new pg.Client(postgres.href).connect()).rejects.toMatchObject({ code: '28P01' });

    const began = performance.now();
    world.signal('SIGINT');
    expect(await world.ended()).toBe(0);
    expect(performance.now() - began).toBeLessThan(STOPPED_MS);
    expect(world.noted()).toEqual([]);
    expect(pids.filter((pid) => identify(pid) !== undefined)).toEqual([]);
  });

  test('each part that is killed comes back, at the address it had', async () => {
    const world = (await DevWorld.make()).start();
    await world.saying(STORED, 150_000);
    for (const name of ['temporal', 'temporal-keeper', 'sqs', 'postgres', 'simulator', 'api', 'worker']) {
      const before = world.run()[name];
      process.kill(world.pidOf(name), 'SIGKILL');
      await until(
        () => ![undefined, before?.pid].includes(world.run()[name]?.pid),
        60_000,
        () => `${name}: ${world.output}`,
      );
      const after = world.run()[name];
      expect([after?.port, after?.url], name).toEqual([before?.port, before?.url]);
    }
    expect(world.run()['temporal-keeper']?.restarts).toBe(2);
    expect(world.run()['sqs']?.restarts).toBe(1);
    expect(world.output).toContain('sqs ended (SIGKILL); it starts again in 0.1 s');
  });

  test('ends with the npm that started it, though nobody passes the signal on', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, npm_lifecycle_event: 'start' })).start({ inShell: true });
    await world.saying(STORED);
    const all = Object.values(world.run()).flatMap(({ pid }) => identify(pid) ?? []);
    expect(all.length).toBeGreaterThan(1);
    world.signal('SIGTERM');
    expect(await world.ended()).toBe('SIGTERM');
    await until(
      () => all.every((part) => !isAlive(part)),
      STOPPED_MS,
      () => `left: ${all.filter(isAlive).map(({ pid }) => pid)}`,
    );
  });

  test('the parts end by themselves when the supervisor is killed', async () => {
    const world = (await DevWorld.make()).start();
    await world.saying(STORED, 150_000);
    const parts = Object.values(world.run()).flatMap(({ pid }) => identify(pid) ?? []);
    world.signal('SIGKILL');
    await until(
      () => parts.every((part) => !isAlive(part)),
      20_000,
      () => `left: ${parts.filter(isAlive).map(({ pid }) => pid)}`,
    );
  });
});

describe('the supervisor', { timeout: 30_000 }, () => {
  test('hands the addresses and keys to the parts, and keeps the keys', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, GLADLY_EXTRA_HOSTS: 'gladly.test:1' })).start();
    await world.saying(STORED);
    const answer: unknown = await (await fetch(`${world.apiUrl}/environment`)).json();
    const simulator = world.port('SIMULATOR_PORT');
    expect(answer).toMatchObject({
      ...ALL_REAL,
      DATA_DIR: world.dataDir,
      PUBLIC_URL: world.apiUrl,
      GLADLY_EXTRA_HOSTS: `gladly.test:1,127.0.0.1:${simulator},localhost:${simulator}`,
    });
    const key = /Bearer (\S+)'/.exec(world.output)?.[1];
    expect(key?.length).toBeGreaterThanOrEqual(43);
    world.signal('SIGINT');
    await world.ended();
    world.start();
    await world.saying(STORED);
    expect(world.output).toContain(`Bearer ${key}'`);
  });

  test('closes a folder of ours that was open to everybody, and no other', async () => {
    const world = await DevWorld.make(ALL_REAL);
    chmodSync(world.dataDir, 0o755);
    world.start();
    await world.saying(STORED);
    world.signal('SIGINT');
    await world.ended();
    expect(readableByOthers(world.dataDir)).toEqual([]);
    // As an earlier version left it.
    chmodSync(world.dataDir, 0o755);
    world.start();
    await world.saying(STORED);
    expect(statSync(world.dataDir).mode & 0o777).toBe(0o700);

    const shared = await DevWorld.make(ALL_REAL);
    writeFileSync(join(shared.dataDir, 'somebody’s'), '');
    chmodSync(shared.dataDir, 0o755);
    shared.start();
    await shared.saying(STORED);
    expect(statSync(shared.dataDir).mode & 0o777).toBe(0o755);
    expect(readableByOthers(shared.dataDir)).toEqual([shared.dataDir]);
  });

  test('prints no key that it was given', async () => {
    const key = 'an-operators-key-of-this-test-0123456789';
    const world = (await DevWorld.make({ ...ALL_REAL, OPERATOR_KEYS: key })).start();
    await world.saying(STORED);
    expect(world.output).toContain('authorization: Bearer $OPERATOR_KEY');
    expect(world.output).not.toContain(key);
  });

  test('what the environment names is not started', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, SIMULATOR: 'off' })).start();
    await world.saying('Idiomatic for Gladly runs');
    expect(Object.keys(world.run()).sort()).toEqual(['api', 'supervisor', 'worker']);
  });

  test('a second start on the same folder is told so, and the first goes on', async () => {
    const world = (await DevWorld.make(ALL_REAL)).start();
    await world.saying(STORED);
    const second = world.with({}).start();
    expect(await second.ended()).toBe(1);
    expect(second.output).toContain(`Another start runs on ${world.dataDir} (process ${world.pid})`);
    expect((await fetch(`${world.apiUrl}/health/ready`)).status).toBe(200);
  });

  test('all ports that are taken are named at once, with the variables that move them', async () => {
    const world = await DevWorld.make(ALL_REAL);
    const strangers = [world.port('API_PORT'), world.port('SIMULATOR_PORT')].map((port) =>
      createServer().listen(port, '127.0.0.1'),
    );
    world.start();
    expect(await world.ended()).toBe(1);
    for (const stranger of strangers) stranger.close();
    expect(world.output).toContain(`port ${world.port('API_PORT')} for the API is taken: set API_PORT`);
    expect(world.output).toContain('set SIMULATOR_PORT');
    expect(world.noted()).toEqual([]);
  });

  test('a part that says it will not heal ends everything with its message', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, TEST_WORKER: 'unhealable' })).start();
    expect(await world.ended()).toBe(1);
    expect(world.output).toContain('worker: SECRET_KEYS is no good');
    expect(world.output).not.toContain('starts again');
  });

  test('a part that never starts ends everything with its last words', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, TEST_WORKER: 'crash' })).start();
    expect(await world.ended(20_000)).toBe(1);
    expect(world.output).toContain('worker does not start (exit code 1, 5 times)');
    expect(world.output).toContain('the worker is broken');
  });

  test('a second Ctrl-C kills parts that do not stop', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, TEST_WORKER: 'deaf' })).start();
    await world.saying(STORED);
    await workerIsDeaf(world);
    const worker = world.pidOf('worker');
    world.signal('SIGINT');
    await world.saying('Stopping');
    await new Promise((resolve) => setTimeout(resolve, 700));
    world.signal('SIGINT');
    // 0 had it waited until the time of the part was over.
    expect(await world.ended()).toBe(1);
    expect(identify(worker)).toBeUndefined();
  });

  test('a part that does not stop is killed, and all is over soon', async () => {
    const world = (await DevWorld.make({ ...ALL_REAL, TEST_WORKER: 'deaf' })).start();
    await world.saying(STORED);
    await workerIsDeaf(world);
    const worker = world.pidOf('worker');
    const began = performance.now();
    // As npm passes it on: twice at once counts as one.
    world.signal('SIGINT');
    world.signal('SIGINT');
    expect(await world.ended()).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(2_000);
    expect(performance.now() - began).toBeLessThan(STOPPED_MS);
    expect(identify(worker)).toBeUndefined();
  });
});

/** What other users of this machine could read or enter: the folder, and what is in it even if it could be entered. Not what somebody else put there. */
function readableByOthers(folder: string): readonly string[] {
  const inside = readdirSync(folder).map((name) => join(folder, name));
  return [folder, ...inside].filter((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found !== undefined && !found.isSocket() && (found.mode & 0o077) !== 0 && !path.endsWith('somebody’s');
  });
}

/** Nobody waits for the worker when the world comes up, and until it has begun any signal ends it. */
const workerIsDeaf = (world: DevWorld): Promise<void> =>
  until(
    () => existsSync(join(world.dataDir, 'deaf')),
    20_000,
    () => world.output,
  );

/** The ports of that world that answer on an address which the neighbours can reach too. */
async function reachableFromOutside(world: DevWorld): Promise<readonly string[]> {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const ports = Object.entries(world.run()).flatMap(([name, { port }]) => (port === undefined ? [] : [{ name, port }]));
  const answering = await Promise.all(
    ports.map(({ name, port }) => {
      const socket = connect(port, outside ?? '0.0.0.1');
      return new Promise<readonly string[]>((resolve) => {
        socket.once('connect', () => resolve([name]));
        socket.once('error', () => resolve([]));
      }).finally(() => socket.destroy());
    }),
  );
  return answering.flat();
}
