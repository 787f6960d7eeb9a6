import { z } from 'zod';
import type { Clock } from './clock.ts';
import { createPublisher } from './delivery/publisher.ts';
import { createLife } from './life/life.ts';
import { type Directory, directorySchema } from './model.ts';
import { demoCredentials, foundOrganization, inventCustomer } from './organization.ts';
import { createRandom } from './random.ts';
import { inTransaction, SimulatorStateError } from './store/database.ts';
import type { Stores } from './store/stores.ts';
import { createTimeline } from './timestamps.ts';
import type { Visibility } from './visibility.ts';

export type FoundingOptions = {
  seed: string;
  adminEmail: string;
  customers: number;
  conversations: number;
  liveConversations: number;
};

/** The history of a new organization: a week of it. */
const HISTORY_MS = 7 * 86_400_000;
/** It ends before the present, so that whatever happens now is later. */
const HISTORY_ENDS_MS = 60_000;

/**
 * The organization in the database, or a new one when it is empty.
 * @throws SimulatorStateError when it was founded with another seed.
 */
export function openOrganization(
  stores: Stores,
  clock: Clock,
  visibility: Visibility,
  options: FoundingOptions,
): Directory {
  const known = stores.meta.get('directory', directorySchema);
  if (known === undefined) return inTransaction(stores.database, () => found(stores, clock, visibility, options));
  const seed = stores.meta.get('seed', z.string());
  if (seed !== options.seed) {
    throw new SimulatorStateError(
      `DATA_DIR/simulator holds an organization of seed "${seed}", but SIMULATOR_SEED is "${options.seed}". ` +
        'Start it with its own seed, or remove that folder for a new organization.',
    );
  }
  return known;
}

function found(stores: Stores, clock: Clock, visibility: Visibility, options: FoundingOptions): Directory {
  const { seed, customers, conversations, liveConversations } = options;
  const { directory, users } = foundOrganization(seed, options.adminEmail);
  const random = createRandom(seed, 'founding');
  for (const user of users) stores.users.add(user);
  const demoUser = users.at(-1);
  if (demoUser !== undefined) stores.users.addToken(random.id(), demoUser.id, demoCredentials(seed).apiToken);
  stores.meta.set('directory', directory);
  stores.meta.set('seed', seed);

  const endsAt = clock.now() - HISTORY_ENDS_MS;
  let now = endsAt - HISTORY_MS;
  const timeline = createTimeline(() => now);
  for (let number = 0; number < customers; number += 1) {
    const { customer, updatedMs } = inventCustomer(random, timeline);
    stores.customers.add(customer, updatedMs);
  }

  // About twelve events a conversation: with this stride the history ends about now, and never after.
  const strideMs = HISTORY_MS / Math.max(1, conversations * 9);
  const publisher = createPublisher(stores, clock, { deliveryJitterMs: 0 });
  const lifeOptions = { seed, liveTarget: liveConversations, legacyEvents: () => false, newLagMs: () => 0 };
  const life = createLife(stores, directory, publisher, timeline, visibility, lifeOptions);
  for (let number = 0; number < conversations; number += 1) {
    const { conversationId } = life.step(null);
    // Two of three have run their course; the others live on when the simulator starts.
    const steps = random.chance(0.67) ? Number.POSITIVE_INFINITY : random.int(0, 6);
    for (let step = 0; step < steps && life.isLive(conversationId); step += 1) {
      now = Math.min(endsAt, now + strideMs * 2 * random.next());
      life.step(conversationId);
    }
  }
  life.save();
  return directory;
}
