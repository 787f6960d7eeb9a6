import { setTimeout as sleep } from 'node:timers/promises';
import type { ConversationResult } from '../../contracts/reading.ts';
import type { GladlyClient, ListAnswer } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import type { Db } from '../../store/db.ts';
import { getReference, putReference, type ReferenceKind } from '../../store/reference.ts';
import { REFERENCE_MAX_AGE_MS, REFERENCE_MIN_AGE_MS } from './limits.ts';

const KINDS = ['agents', 'inboxes', 'teams', 'topics'] as const satisfies readonly ReferenceKind[];

/** How often it is looked whether a list is to be read anew: a name may be a moment late. */
const LOOK_MS = 10_000;
const FIRST_LOOK_MS = 1_000;

type Lister = (signal: AbortSignal) => Promise<ListAnswer<{ readonly id: string; readonly name?: string | undefined }>>;

/**
 * Keeps the tenant's agents, inboxes, teams and topics: four calls a day, and one when a conversation names an agent, an inbox or a
 * topic that is not known. They are names beside conversations: a failure of Gladly's never stops a drain; one of Postgres's does.
 */
export class References {
  readonly #db: Db;
  readonly #tenantId: string;
  readonly #listers: Readonly<Record<ReferenceKind, Lister>>;
  readonly #fetchedAt = new Map<ReferenceKind, number>();
  readonly #known = new Map<ReferenceKind, Set<string>>();
  readonly #missed = new Set<ReferenceKind>();
  /** Lists that could not be had, and when they are asked for again (performance.now). */
  readonly #retryAt = new Map<ReferenceKind, number>();

  constructor(db: Db, tenantId: string, client: GladlyClient) {
    this.#db = db;
    this.#tenantId = tenantId;
    this.#listers = {
      agents: (signal) => client.listAgents(signal),
      inboxes: (signal) => client.listInboxes(signal),
      teams: (signal) => client.listTeams(signal),
      topics: (signal) => client.listTopics(signal),
    };
  }

  /** Notes what a conversation names. */
  saw({ reading }: ConversationResult): void {
    if (reading === null) return;
    const { agentId, inboxId, topicIds = [] } = reading.conversation;
    const named = [
      ['agents', agentId],
      ['inboxes', inboxId],
      ...topicIds.map((id) => ['topics', id] as const),
    ] as const;
    for (const [kind, id] of named) {
      if (id !== undefined && this.#known.get(kind)?.has(id) === false) this.#missed.add(kind);
    }
  }

  /** Until `stop`. Begins after a moment: the first conversation is not to wait behind four lists. */
  async run(stop: AbortSignal): Promise<void> {
    try {
      await this.#load();
      for (let waitMs = FIRST_LOOK_MS; !stop.aborted; waitMs = LOOK_MS) {
        await sleep(waitMs, undefined, { signal: stop });
        for (const kind of KINDS) if (this.#isDue(kind)) await this.#fetch(kind, stop);
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  async #load(): Promise<void> {
    for (const kind of KINDS) {
      const stored = await getReference(this.#db, this.#tenantId, kind);
      this.#fetchedAt.set(kind, stored?.fetchedAt.getTime() ?? 0);
      if (stored) this.#known.set(kind, new Set(stored.entries.map(({ id }) => id)));
    }
  }

  #isDue(kind: ReferenceKind): boolean {
    if (performance.now() < (this.#retryAt.get(kind) ?? 0)) return false;
    const age = Date.now() - (this.#fetchedAt.get(kind) ?? 0);
    return age > REFERENCE_MAX_AGE_MS || (this.#missed.has(kind) && age > REFERENCE_MIN_AGE_MS);
  }

  async #fetch(kind: ReferenceKind, stop: AbortSignal): Promise<void> {
    const values = await this.#listers[kind](stop).then(
      (answer) => answer.values,
      (error: unknown) => {
        // Gladly's trouble is what extraction itself will report; a day-old name is no loss, and the other lists are asked for.
        if (stop.aborted || !(error instanceof GladlyError)) throw error;
        this.#retryAt.set(kind, performance.now() + REFERENCE_MIN_AGE_MS);
        return null;
      },
    );
    if (values === null) return;
    const entries = values.map((value) => ({ id: value.id, name: value.name, raw: value }));
    await putReference(this.#db, this.#tenantId, kind, entries, new Date());
    this.#fetchedAt.set(kind, Date.now());
    this.#known.set(kind, new Set(entries.map(({ id }) => id)));
    this.#missed.delete(kind);
  }
}
