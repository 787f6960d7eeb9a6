import { type IngestLog, SEEN, type Sighting, type Sightings } from './ports.ts';

export interface WitnessTimes {
  /** What was seen is written down this often. */
  readonly flushMs: number;
  /** After a failure. */
  readonly retryMs: number;
}

const TIMES: WitnessTimes = { flushMs: 1_000, retryMs: 1_000 };

/** Of one tenant. Gladly knows 60 types; a tenant that invents more shares one name. */
const MAX_TYPES = 100;
/** A wrong key is worth one line a minute: it tells onboarding that the webhook was saved with a wrong one. */
const WRONG_KEY_MS = 60_000;

/**
 * Remembers what was seen of each tenant and writes it down in batches, off the answer's path. What is new (a PING, the first event of a
 * type) is written at once: onboarding waits for it.
 */
export interface Witness {
  /** `type`: an event's type, or one of SEEN. `at` in milliseconds since 1970. */
  saw(tenantId: string, keyId: string, type: string, at: number): void;
  /** For tenants that exist only. */
  sawWrongKey(tenantId: string, at: number): void;
  close(): Promise<void>;
}

interface Note {
  readonly tenantId: string;
  readonly type: string;
  readonly keyId: string;
  firstAt: number;
  lastAt: number;
  count: number;
}

export function createWitness(sightings: Sightings, log: IngestLog, given: Partial<WitnessTimes> = {}): Witness {
  const times: WitnessTimes = { ...TIMES, ...given };
  let notes = new Map<string, Note>();
  const typesOf = new Map<string, Set<string>>();
  const wrongKeyAt = new Map<string, number>();
  let writing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let failing = false;
  let closed = false;

  function saw(tenantId: string, keyId: string, given: string, at: number): void {
    const types = typesOf.get(tenantId) ?? new Set();
    const isNew = !types.has(given);
    const type = isNew && types.size >= MAX_TYPES ? SEEN.otherTypes : given;
    const isFirst = !types.has(type);
    if (isFirst) typesOf.set(tenantId, types.add(type));
    add({ tenantId, type, keyId, firstAt: at, lastAt: at, count: 1 });
    setTimer(isFirst || type === SEEN.ping ? 0 : times.flushMs);
  }

  function add(note: Note): void {
    const key = `${note.tenantId} ${note.keyId} ${note.type}`;
    const known = notes.get(key);
    if (known === undefined) {
      notes.set(key, note);
      return;
    }
    known.firstAt = Math.min(known.firstAt, note.firstAt);
    known.lastAt = Math.max(known.lastAt, note.lastAt);
    known.count += note.count;
  }

  function setTimer(ms: number): void {
    if (closed || writing !== null) return;
    if (timer !== null && ms > 0) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(flush, ms);
  }

  function flush(): void {
    timer = null;
    if (writing !== null || notes.size === 0) return;
    const batch = notes;
    notes = new Map();
    writing = sightings.record([...batch.values()].map(sighting)).then(
      () => {
        writing = null;
        failing = false;
        if (notes.size > 0) setTimer(times.flushMs);
      },
      (error: unknown) => {
        writing = null;
        if (!failing) log.warn({ err: error, notes: batch.size }, 'what was seen of webhooks cannot be written down');
        failing = true;
        for (const note of batch.values()) add(note);
        setTimer(times.retryMs);
      },
    );
  }

  return {
    saw,
    sawWrongKey(tenantId, at) {
      if (at - (wrongKeyAt.get(tenantId) ?? 0) < WRONG_KEY_MS) return;
      wrongKeyAt.set(tenantId, at);
      saw(tenantId, '', SEEN.wrongKey, at);
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await writing;
      flush();
      await writing;
    },
  };
}

const sighting = ({ firstAt, lastAt, ...note }: Note): Sighting => ({
  ...note,
  firstAt: new Date(firstAt),
  lastAt: new Date(lastAt),
});
