import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { GLADLY_KNOWN_MS, WITNESSES } from './limits.ts';

/** Gladly as a whole does not answer as it should. */
export interface Trouble {
  readonly error: GladlyError;
  /** The organization answers; it is the conversations asked for that do not. All of those may be gone, so others may still answer. */
  readonly isOfConversations: boolean;
}

/** Where conversations are found that can be asked for. */
export interface Witnesses {
  /** Conversations that were read last, the latest first: Gladly should have them. */
  lastRead(limit: number): Promise<readonly string[]>;
  /** Conversations whose last reading failed. */
  failing(limit: number): Promise<readonly string[]>;
}

type Found = Trouble | null;

/** What is asked of a conversation as a witness. */
type Ask = (client: GladlyClient, conversationId: string, stop: AbortSignal) => Promise<unknown>;

const askHead: Ask = (client, id, stop) => client.getConversation(id, stop);
const askList: Ask = (client, id, stop) => client.listConversationItems(id, stop);

interface Known {
  readonly at: number;
  readonly trouble: Promise<Found>;
}

/** Asked before a conversation is blamed for what Gladly answers, and before anything is given up: is it Gladly as a whole? */
export class GladlyAtLarge {
  readonly #client: GladlyClient;
  readonly #others: Witnesses;
  #organization: Known | undefined;
  readonly #witnesses = new Map<Ask, Known>();

  constructor(client: GladlyClient, others: Witnesses) {
    this.#client = client;
    this.#others = others;
  }

  /**
   * Null when `GET /organization` answers as it should. Some users may not read it, though all else: of those the other conversations are asked. What
   * was found holds for GLADLY_KNOWN_MS.
   */
  async organization(
    conversationId: string,
    stop: AbortSignal,
    besides: ReadonlySet<string> = new Set(),
  ): Promise<Found> {
    const trouble = await this.#askOrganization(stop);
    if (trouble === null || !mayNotReadIt(trouble.error)) return trouble;
    return await this.#conversations(askHead, trouble, conversationId, stop, besides);
  }

  /**
   * Null when the organization answers, and one of the conversations that were read last can still be read; also when there are none but
   * `conversationId` and those in `besides`.
   */
  async trouble(conversationId: string, stop: AbortSignal, besides: ReadonlySet<string> = new Set()): Promise<Found> {
    const trouble = await this.#askOrganization(stop);
    if (trouble !== null && !mayNotReadIt(trouble.error)) return trouble;
    return await this.#conversations(askHead, trouble, conversationId, stop, besides);
  }

  /** The same of the lists of items; the heads of the conversations can be read. */
  async troubleWithLists(conversationId: string, stop: AbortSignal): Promise<Found> {
    return await this.#conversations(askList, null, conversationId, stop, new Set());
  }

  async #askOrganization(stop: AbortSignal): Promise<Found> {
    this.#organization = current(this.#organization) ?? {
      at: performance.now(),
      trouble: troubleOf(() => this.#client.getOrganization(stop), false),
    };
    return await this.#organization.trouble;
  }

  /** `otherwise`: the answer when there is nobody to ask. */
  async #conversations(
    ask: Ask,
    otherwise: Found,
    conversationId: string,
    stop: AbortSignal,
    besides: ReadonlySet<string>,
  ): Promise<Found> {
    const counts = (id: string): boolean => id !== conversationId && !besides.has(id);
    const known = current(this.#witnesses.get(ask)) ?? {
      at: performance.now(),
      trouble: this.#askWitnesses(ask, otherwise, counts, besides.size + 1, stop),
    };
    this.#witnesses.set(ask, known);
    return await known.trouble;
  }

  async #askWitnesses(
    ask: Ask,
    otherwise: Found,
    counts: (id: string) => boolean,
    others: number,
    stop: AbortSignal,
  ): Promise<Found> {
    const limit = WITNESSES + others;
    let ids = (await this.#others.lastRead(limit)).filter(counts);
    // While no list can be had none of those that wait was read last; and one that waits has a list all the same.
    if (ids.length === 0 && ask === askList) ids = (await this.#others.failing(limit)).filter(counts);
    let trouble = otherwise;
    for (const id of ids.slice(0, WITNESSES)) {
      trouble = await troubleOf(() => ask(this.#client, id, stop), true);
      if (trouble === null) return null;
    }
    return trouble;
  }
}

const current = (known: Known | undefined): Known | undefined =>
  known !== undefined && performance.now() - known.at < GLADLY_KNOWN_MS ? known : undefined;

/** A Gladly knows the user and refuses this one thing: it says nothing of anything else. */
const mayNotReadIt = (error: GladlyError): boolean => error.kind === 'forbidden' && !error.foreign;

/** Throws what is no answer of Gladly's, the signal's reason among them. */
async function troubleOf(ask: () => Promise<unknown>, isOfConversations: boolean): Promise<Found> {
  try {
    await ask();
    return null;
  } catch (error) {
    if (error instanceof GladlyError) return { error, isOfConversations };
    throw error;
  }
}
