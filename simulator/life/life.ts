import { z } from 'zod';
import type { Publisher } from '../delivery/publisher.ts';
import { type Conversation, type Customer, type Directory, itemSchema } from '../model.ts';
import { inventCustomer } from '../organization.ts';
import { createRandom, type Random } from '../random.ts';
import type { StoredConversation } from '../store/conversations.ts';
import type { Stores } from '../store/stores.ts';
import type { Timeline } from '../timestamps.ts';
import type { Visibility } from '../visibility.ts';
import { withReadySummary } from './items.ts';
import { type Plot, pickChannel, planContinuation, planConversation, planReopening } from './plot.ts';
import { performStep } from './steps.ts';

export type Emitted = { id: string; type: string; conversationId: string; webhooks: number };

/** The conversations' life: one step at a time, each with one event. Call it within a transaction. */
export type Life = {
  /**
   * The next event: of one of the live conversations or a new one; of `target` when that is an id; of a new
   * conversation when it is null. A conversation that has come to its end is reopened.
   */
  step(target?: string | null): Emitted;
  /** `count` targets for step(): live conversations, and null for each that is missing. */
  choose(count: number): (string | null)[];
  /** True while the step just made belongs together with the next one. */
  midway(): boolean;
  /** A conversation was deleted or moved: forget what is in memory. */
  reload(): void;
  /** Keeps what a restart needs; once at the end of a transaction. */
  save(): void;
  isLive(conversationId: string): boolean;
};

export type LifeOptions = {
  seed: string;
  /** How many conversations live at the same time; events interleave over them. */
  liveTarget: number;
  /** Also send MESSAGE/RECEIVED for each customer message. */
  legacyEvents: () => boolean;
  newLagMs: () => number;
};

const progressSchema = z.object({ changes: z.number(), current: z.string().nullable() });

export function createLife(
  stores: Stores,
  directory: Directory,
  publisher: Publisher,
  timeline: Timeline,
  visibility: Visibility,
  options: LifeOptions,
): Life {
  const { customers, conversations, meta } = stores;
  let { changes, current } = meta.get('life', progressSchema) ?? { changes: 0, current: null };
  /** In the order of opening, so that the same random number means the same conversation after a restart. */
  let live = conversations.live();

  function nextRandom(): Random {
    changes += 1;
    return createRandom(options.seed, 'change', changes);
  }

  function pickLive(random: Random): string {
    const wantsNew = random.chance(0.25);
    const index = random.next();
    if (live.length === 0 || (wantsNew && live.length < options.liveTarget)) return open(random);
    return live[Math.floor(index * live.length)]?.id ?? open(random);
  }

  /** Opens a conversation; its first step, CONVERSATION/CREATED, follows in the same transaction. */
  function open(random: Random): string {
    const customer = pickCustomer(random);
    const channel = pickChannel(random);
    const inboxes = directory.inboxes.filter((inbox) => !inbox.disabled);
    const conversation: Conversation = {
      id: random.id(),
      customerId: customer.id,
      createdAt: timeline.next(random).text,
      inboxId: random.pick(inboxes).id,
      status: 'OPEN',
    };
    const steps = planConversation(random, channel);
    conversations.save({ conversation, plot: { steps, channel, contactId: random.id(), sessionId: random.id() } });
    live.push({ id: conversation.id, customerId: customer.id });
    return conversation.id;
  }

  /** A customer without a live conversation, as a customer has one at a time; a new one in 4 of 10 cases. */
  function pickCustomer(random: Random): Customer {
    const returns = random.chance(0.6);
    const number = random.int(1, Math.max(1, customers.count()));
    const stored = customers.byNumber(number);
    const busy = stored === undefined || live.some((other) => other.customerId === stored.customer.id);
    if (returns && stored !== undefined && !busy && stored.mergedInto === null) return stored.customer;
    const invented = inventCustomer(random, timeline);
    customers.add(invented.customer, invented.updatedMs);
    return invented.customer;
  }

  function perform(conversationId: string, random: Random): Emitted {
    const stored = conversations.get(conversationId);
    if (stored === undefined) throw new RangeError(`There is no conversation ${conversationId}.`);
    const [step, ...steps] = stepsOf(stored, random);
    const customer = customers.get(stored.conversation.customerId)?.customer;
    if (step === undefined || customer === undefined) throw new RangeError(`Conversation ${conversationId} is broken.`);

    const { conversation } = stored;
    const plot = finishSummary(stored, random);
    const cast = { directory, customer, conversation, plot, random };
    const outcome = performStep(step, cast, timeline);
    const legacy = step.kind === 'received' && options.legacyEvents();
    const rest = legacy ? [{ kind: 'legacyReceived' as const, together: true as const }, ...steps] : steps;

    conversations.save({ conversation: outcome.conversation, plot: { ...outcome.plot, steps: rest } });
    for (const item of outcome.items) conversations.addItem(item, true);
    visibility.changed(
      conversationId,
      step.kind === 'created' ? null : JSON.stringify(conversation),
      outcome.items.map((item) => item.id),
      options.newLagMs(),
    );
    const webhooks = publisher.publish(outcome.event, outcome.at);
    current = rest[0]?.together === true ? conversationId : null;
    updateLive(conversationId, conversation.customerId, rest.length > 0);
    return { id: outcome.event.id, type: outcome.event.type, conversationId, webhooks };
  }

  function stepsOf({ conversation, plot }: StoredConversation, random: Random): Plot['steps'] {
    if (plot.steps.length > 0) return plot.steps;
    return conversation.status === 'CLOSED' ? planReopening(random) : planContinuation(random);
  }

  function finishSummary({ plot }: StoredConversation, random: Random): Plot {
    const { pendingSummaryItemId, ...rest } = plot;
    if (pendingSummaryItemId === undefined) return plot;
    const body = conversations.item(pendingSummaryItemId)?.body;
    if (body !== undefined) conversations.replaceItem(withReadySummary(itemSchema.parse(JSON.parse(body)), random));
    return rest;
  }

  function updateLive(id: string, customerId: string, alive: boolean): void {
    const index = live.findIndex((other) => other.id === id);
    if (!alive && index >= 0) live.splice(index, 1);
    if (alive && index < 0) live.push({ id, customerId });
  }

  return {
    step: (target) => {
      const random = nextRandom();
      return perform(target === null ? open(random) : (target ?? current ?? pickLive(random)), random);
    },
    choose: (count) => {
      const random = nextRandom();
      const pool = live.map(({ id }) => id).filter((id) => id !== current);
      return Array.from(
        { length: count },
        () => pool.splice(random.int(0, Math.max(0, pool.length - 1)), 1)[0] ?? null,
      );
    },
    midway: () => current !== null,
    reload: () => {
      live = conversations.live();
      if (!live.some(({ id }) => id === current)) current = null;
    },
    save: () => meta.set('life', { changes, current }),
    isLive: (id) => live.some((other) => other.id === id),
  };
}
