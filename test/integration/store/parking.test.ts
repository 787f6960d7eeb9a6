import fc from 'fast-check';
import { expect, it } from 'vitest';
import { park } from '../../../src/activities/drain/drain-run.ts';
import { Intake } from '../../../src/activities/drain/intake.ts';
import { Room } from '../../../src/activities/drain/room.ts';
import { createWaker } from '../../../src/api/ingest/waker.ts';
import type { DrainEnd, ExtractionTuning } from '../../../src/contracts/extraction.ts';
import { beginDrain, markParked } from '../../../src/store/drains.ts';
import { type ExtractionEvent, initialState, nextMove, reduce } from '../../../src/workflows/extraction/reducer.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const TUNING: ExtractionTuning = {
  parkedLookMs: 3_600_000,
  gladlyWaitMs: 1_000,
  gladlyWaitMaxMs: 8_000,
  attentionLookMs: 900_000,
  continueAsNewAfter: 1_000,
};
const AT = '2026-01-05T00:00:00.000Z';
const COUNTS = { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 };
const GOES_ON = new AbortController().signal;

/** Lets one actor at a time take its next step; who it is, is chosen. An actor asks for its turn before each step, and each is one actor. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #atWork: number;

  constructor(actors: number) {
    this.#atWork = actors;
  }

  async next(): Promise<void> {
    this.#atWork -= 1;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leaves(): void {
    this.#atWork -= 1;
  }

  returns(): void {
    this.#atWork += 1;
  }

  /** Until everybody has left. */
  async run(choose: () => number): Promise<void> {
    for (;;) {
      while (this.#atWork > 0) await new Promise((resolve) => setImmediate(resolve));
      const [chosen] = this.#waiting.splice(choose() % (this.#waiting.length || 1), 1);
      if (chosen === undefined) return;
      this.#atWork += 1;
      chosen();
    }
  }
}

describeStore('parking', (store) => {
  it('loses no event, in whatever order events, rings, marks and looks happen, and with no look later on', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 3 }), async (choices, count) => {
        const tenantId = await store.tenant();
        const turns = new Turns(count + 1);
        const queue: number[] = [];
        const taken = new Set<number>();
        let state = initialState({ version: 1, tenantId, tuning: TUNING }, AT);
        let sending = count;
        let sleeper: (() => void) | null = null;
        const wakeUp = (): void => {
          if (sleeper === null) return;
          turns.returns();
          sleeper();
          sleeper = null;
        };
        const on = (event: ExtractionEvent): void => {
          state = reduce(state, event, AT);
        };
        const { wake } = createWaker(store.db, async () => {
          await turns.next();
          on({ type: 'wake' });
          wakeUp();
        });
        const send = async (event: number): Promise<void> => {
          await turns.next();
          queue.push(event);
          await turns.next();
          await wake([tenantId]);
          sending -= 1;
          if (sending === 0) wakeUp();
          turns.leaves();
        };
        const drain = async (): Promise<DrainEnd> => {
          await turns.next();
          const fence = await beginDrain(store.db, tenantId, 'w1');
          const intake = new Intake<number>(
            {
              waitSeconds: 1,
              async receive() {
                await turns.next();
                return queue.splice(0).map((row) => ({ handle: String(row), row, bytes: 1 }));
              },
              async write(rows) {
                for (const row of rows) taken.add(row);
                return { inserted: rows.length, refused: [] };
              },
              remove: async () => undefined,
              release: async () => undefined,
              isAnothers: () => false,
            },
            new Room(1_000),
          );
          while (await intake.look(GOES_ON));
          const mark = async (): Promise<void> => {
            await turns.next();
            await markParked(store.db, tenantId, fence);
          };
          const parked = await park(mark, () => intake.look(GOES_ON));
          return parked ? { kind: 'parked', lookAgainMs: null } : { kind: 'budget_spent' };
        };
        const live = async (): Promise<void> => {
          for (;;) {
            if (nextMove(state, TUNING).move === 'drain') {
              on({ type: 'drainStarted', mode: 'full' });
              on({ type: 'drainEnded', result: { end: await drain(), counts: COUNTS } });
            } else if (sending === 0) {
              turns.leaves();
              return;
            } else {
              turns.leaves();
              await new Promise<void>((resolve) => {
                sleeper = resolve;
              });
            }
          }
        };
        const all = Promise.all([live(), ...Array.from({ length: count }, (_, n) => send(n))]);
        await turns.run(() => choices.next().value ?? 0);
        await all;
        expect(queue).toEqual([]);
        expect(taken.size).toBe(count);
      }),
      { numRuns: 200 },
    );
  });
});
