import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Intake, type IntakeDeps } from '../../../src/activities/drain/intake.ts';
import { BYTES_PER_TRANSACTION, ROWS_PER_TRANSACTION } from '../../../src/activities/drain/limits.ts';
import { Room } from '../../../src/activities/drain/room.ts';

const MB = 1024 * 1024;

/** What a drain is told that has a successor. */
class Another extends Error {}

/** A queue of messages of these sizes, ten a receive, and what became of them. */
function queueOf(sizes: readonly number[], given: Partial<IntakeDeps<number>> = {}) {
  const left = sizes.map((bytes, row) => ({ handle: String(row), row, bytes }));
  const writes: number[][] = [];
  const removed: string[] = [];
  const released: string[] = [];
  const deps: IntakeDeps<number> = {
    waitSeconds: 1,
    async receive(waitSeconds) {
      if (left.length === 0 && waitSeconds > 0) await delay(20);
      return left.splice(0, 10);
    },
    async write(rows) {
      writes.push([...rows]);
      await delay(1);
      return { inserted: rows.length, refused: [] };
    },
    remove: async (handles) => void removed.push(...handles),
    release: async (handles) => void released.push(...handles),
    isAnothers: (error) => error instanceof Another,
    ...given,
  };
  return { deps, writes, removed, released, left };
}

async function runUntil(intake: Intake<number>, isDone: () => boolean): Promise<void> {
  const stop = new AbortController();
  const running = intake.run(stop.signal);
  await expect.poll(isDone, { interval: 5 }).toBe(true);
  stop.abort();
  await running;
}

it('a transaction ends at its bytes as well as at its rows', async () => {
  const sizes = [...Array.from({ length: 700 }, () => 100), ...Array.from({ length: 30 }, () => 3 * MB), 20 * MB];
  const { deps, writes, removed } = queueOf(sizes);
  await runUntil(new Intake(deps, new Room(64 * MB)), () => removed.length === sizes.length);
  const bytesOf = (rows: readonly number[]) => rows.reduce((sum, row) => sum + (sizes[row] ?? 0), 0);
  expect(writes.filter((rows) => rows.length > ROWS_PER_TRANSACTION)).toEqual([]);
  expect(writes.filter((rows) => rows.length > 1 && bytesOf(rows) > BYTES_PER_TRANSACTION)).toEqual([]);
  expect(writes.flat().sort((a, b) => a - b)).toEqual(sizes.map((_, row) => row));
});

it('a message whose row was refused is left in the queue, and no other', async () => {
  const { deps, removed } = queueOf([1, 1, 1], {
    write: async (rows) => ({ inserted: rows.length - 1, refused: rows.filter((row) => row === 1) }),
  });
  const intake = new Intake(deps, new Room(MB));
  await runUntil(intake, () => removed.length === 2);
  expect(removed).toEqual(['0', '2']);
  expect(intake.takenIn).toBe(2);
});

it('drains of a worker share its memory: none receives while it is full, and all come to an end', async () => {
  const room = new Room(8 * MB);
  let inMemory = 0;
  let most = 0;
  const drains = Array.from({ length: 6 }, () => {
    const sizes = Array.from({ length: 100 }, () => MB / 4);
    const one = queueOf(sizes);
    const { receive } = one.deps;
    const deps: IntakeDeps<number> = {
      ...one.deps,
      async receive(waitSeconds, signal) {
        const found = await receive(waitSeconds, signal);
        inMemory += found.reduce((sum, { bytes }) => sum + bytes, 0);
        most = Math.max(most, inMemory);
        return found;
      },
      async write(rows) {
        await delay(5);
        inMemory -= rows.length * (MB / 4);
        return { inserted: rows.length, refused: [] };
      },
    };
    return runUntil(new Intake(deps, room), () => one.removed.length === sizes.length);
  });
  await Promise.all(drains);
  expect(inMemory).toBe(0);
  expect(room.isFull).toBe(false);
  // The first receive of each drain, and the last one in, may exceed it.
  expect(most).toBeLessThanOrEqual((8 + 7 * 2.5) * MB);
});

it('what could not be written leaves the room to others', async () => {
  const room = new Room(MB);
  const { deps } = queueOf([MB, MB], { write: () => Promise.reject(new Error('Postgres is out')) });
  await expect(new Intake(deps, room).run(new AbortController().signal)).rejects.toThrow('Postgres is out');
  expect(room.isFull).toBe(false);
});

it.each([
  ['has a successor: what it received is given back for that one', new Another('another'), true],
  ['fails: what it received is seen again later, and no sooner', new Error('Postgres is out'), false],
])('a drain that %s', async (_, error, isGivenBack) => {
  const { deps, removed, released } = queueOf([1, 1, 1], { write: () => Promise.reject(error) });
  const intake = new Intake(deps, new Room(MB));
  await expect(intake.run(new AbortController().signal)).rejects.toThrow(error.message);
  expect(removed).toEqual([]);
  expect(released).toEqual(isGivenBack ? ['0', '1', '2'] : []);
});
