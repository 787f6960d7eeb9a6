import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { GLADLY_KNOWN_MS, WITNESSES } from './limits.ts';

type Trouble = GladlyError | null;

/** Asked before a conversation is blamed for what Gladly answers, and before anything is given up: is it Gladly as a whole? */
export class GladlyAtLarge {
  readonly #client: GladlyClient;
  readonly #lastRead: (limit: number) => Promise<readonly string[]>;
  #organization: { readonly at: number; readonly trouble: Promise<Trouble> } | undefined;
  #witnesses: { readonly at: number; readonly trouble: Promise<Trouble> } | undefined;

  constructor(client: GladlyClient, lastRead: (limit: number) => Promise<readonly string[]>) {
    this.#client = client;
    this.#lastRead = lastRead;
  }

  /** Null when `GET /organization` answers as it should. What was found holds for GLADLY_KNOWN_MS. */
  organization(stop: AbortSignal): Promise<Trouble> {
    this.#organization = current(this.#organization) ?? {
      at: performance.now(),
      trouble: troubleOf(() => this.#client.getOrganization(stop)),
    };
    return this.#organization.trouble;
  }

  /**
   * Null when the organization answers, and one of the conversations that were read last can still be read; also when there are none but
   * `conversationId` and those in `besides`.
   */
  async trouble(conversationId: string, stop: AbortSignal, besides: ReadonlySet<string> = new Set()): Promise<Trouble> {
    const trouble = await this.organization(stop);
    if (trouble !== null) return trouble;
    this.#witnesses = current(this.#witnesses) ?? {
      at: performance.now(),
      trouble: this.#askWitnesses((id) => id !== conversationId && !besides.has(id), besides.size + 1, stop),
    };
    return this.#witnesses.trouble;
  }

  async #askWitnesses(counts: (id: string) => boolean, others: number, stop: AbortSignal): Promise<Trouble> {
    const ids = (await this.#lastRead(WITNESSES + others)).filter(counts).slice(0, WITNESSES);
    let trouble: Trouble = null;
    for (const id of ids) {
      trouble = await troubleOf(() => this.#client.getConversation(id, stop));
      if (trouble === null) return null;
    }
    return trouble;
  }
}

const current = <T extends { readonly at: number }>(known: T | undefined): T | undefined =>
  known !== undefined && performance.now() - known.at < GLADLY_KNOWN_MS ? known : undefined;

/** Throws what is no answer of Gladly's, the signal's reason among them. */
async function troubleOf(ask: () => Promise<unknown>): Promise<Trouble> {
  try {
    await ask();
    return null;
  } catch (error) {
    if (error instanceof GladlyError) return error;
    throw error;
  }
}
