import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Couriers } from '../delivery/couriers.ts';
import type { Publisher } from '../delivery/publisher.ts';
import { inTransaction } from '../store/database.ts';
import type { Emitted, Life } from './life.ts';

/** How many steps go into one transaction: few enough that deliveries and answers are not held up. */
const STEPS_PER_TURN = 100;

export type EmitOptions = {
  /** Only this conversation. */
  conversationId?: string | undefined;
  /** Over this many conversations, each in turn. */
  conversations?: number | undefined;
  /** Each change that does not belong to the one before opens a conversation. */
  newConversations?: boolean | undefined;
  /** Counts only the events that go to at least one webhook; the others happen besides. */
  onlySubscribed?: boolean | undefined;
  /** Events per second of real time; as fast as possible when left out. */
  ratePerSecond?: number | undefined;
};

export type Emitter = {
  /**
   * Makes `count` events happen. `onEmitted` sees each of them once it is stored.
   * @throws RangeError for an unknown conversation, or when no webhook wants any of the events.
   */
  emit(count: number, options: EmitOptions, onEmitted: (event: Emitted) => void): Promise<void>;
  /** One change of the organization's own life: a step and what belongs to it. */
  change(): void;
  /** Runs any other change of state in a transaction, and sends what it published. */
  commit<T>(work: () => T): T;
};

export function createEmitter(
  database: DatabaseSync,
  life: Life,
  publisher: Publisher,
  couriers: Couriers,
  closing: AbortSignal,
): Emitter {
  function commit<T>(work: () => T): T {
    try {
      const result = inTransaction(database, () => {
        const value = work();
        life.save();
        return value;
      });
      couriers.add(publisher.takeQueued());
      return result;
    } catch (error) {
      publisher.discard();
      life.reload();
      throw error;
    }
  }

  /** Chooses whose turn it is; steps that belong together are not torn apart. */
  function createTurns({ conversationId, conversations, newConversations }: EmitOptions): () => Emitted {
    if (conversationId !== undefined) return () => life.step(conversationId);
    if (newConversations) return () => life.step(life.midway() ? undefined : null);
    if (conversations === undefined) return () => life.step();
    const targets = life.choose(conversations);
    let turn = 0;
    return () => {
      const emitted = life.step(targets[turn]);
      targets[turn] = emitted.conversationId;
      if (!life.midway()) turn = (turn + 1) % targets.length;
      return emitted;
    };
  }

  return {
    commit,
    change: () => {
      commit(() => {
        do life.step();
        while (life.midway());
      });
    },
    emit: async (count, options, onEmitted) => {
      const step = createTurns(options);
      const startedAt = Date.now();
      let done = 0;
      let unwanted = 0;

      const takeTurns = (atMost: number): Emitted[] => {
        const emitted: Emitted[] = [];
        while (emitted.length < atMost && done < count) {
          const event = step();
          emitted.push(event);
          if (options.onlySubscribed && event.webhooks === 0) unwanted += 1;
          else done += 1;
          // About one event in ten is of a type that the ten documented subscriptions do not hold.
          if (unwanted > 1000 + 10 * done) throw new RangeError('No enabled webhook subscribes to what happens here.');
        }
        return emitted;
      };

      while (done < count && !closing.aborted) {
        const due =
          options.ratePerSecond === undefined
            ? STEPS_PER_TURN
            : Math.floor(((Date.now() - startedAt) / 1000) * options.ratePerSecond) + 1 - done;
        for (const event of commit(() => takeTurns(Math.min(due, STEPS_PER_TURN)))) onEmitted(event);
        await (due > STEPS_PER_TURN || options.ratePerSecond === undefined
          ? nextTurn()
          : pause(1000 / options.ratePerSecond));
      }
    },
  };
}

/** Long enough not to spin at a high rate, short enough to keep an even pace. */
async function pause(intervalMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(intervalMs, 10), 200)));
}
