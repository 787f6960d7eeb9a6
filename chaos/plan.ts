import type { WorldPart } from '../bench/support/world.ts';
import { createRandom, type Random } from '../simulator/random.ts';

/** Something that is done to a running instance. `atMs` counts from the first event. */
export type Happening = { readonly atMs: number } & (
  | { readonly kind: 'kill'; readonly part: WorldPart }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'pause'; readonly forMs: number }
  /** Gladly sends delivered events once more, as when it did not get our answer. */
  | { readonly kind: 'resend'; readonly count: number }
);

/** Of POST /simulator/faults. */
export interface Fault {
  readonly path: string;
  readonly times?: number;
  readonly forMs?: number;
  readonly status?: number;
  readonly body?: 'html' | 'empty' | 'errors';
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  readonly cut?: true;
  readonly malformed?: true;
}

export interface PlanOptions {
  readonly seed: string;
  readonly kills: number;
  /** How long events are sent. */
  readonly lengthMs: number;
}

const PARTS: readonly WorldPart[] = ['worker', 'api', 'temporal', 'sqs', 'postgres'];
/** The first and the last part of the time are left in peace: something must be under way, and something must come after. */
const FIRST = 0.05;
const LAST = 0.92;

/** The same seed gives the same plan. Every part is killed equally often, give or take one, in random order. */
export function makePlan({ seed, kills, lengthMs }: PlanOptions): readonly Happening[] {
  const random = createRandom('chaos', seed);
  const parts = shuffled(
    Array.from({ length: kills }, (_, n) => PARTS[n % PARTS.length] ?? 'worker'),
    random,
  );
  const others = Math.max(4, Math.ceil(kills / 3));
  const killings = spread(kills, lengthMs, random).map(
    (atMs, n): Happening => ({ atMs, kind: 'kill', part: parts[n] ?? 'worker' }),
  );
  const faults = spread(others, lengthMs, random).map(
    (atMs): Happening => ({ atMs, kind: 'fault', fault: random.pick(FAULTS)(random) }),
  );
  const pauses = spread(Math.max(2, Math.ceil(kills / 6)), lengthMs, random).map(
    (atMs): Happening => ({ atMs, kind: 'pause', forMs: random.int(500, 4_000) }),
  );
  const resends = spread(others, lengthMs, random).map(
    (atMs): Happening => ({ atMs, kind: 'resend', count: random.int(1, 20) }),
  );
  return [...killings, ...faults, ...pauses, ...resends].sort((a, b) => a.atMs - b.atMs);
}

const READS = '/api/v1/conversations/**';

const FAULTS: readonly ((random: Random) => Fault)[] = [
  (random) => ({ path: READS, times: random.int(1, 6), status: 429, body: 'empty' }),
  (random) => ({ path: READS, times: random.int(1, 3), status: 429, headers: { 'retry-after': '1' } }),
  (random) => ({ path: READS, times: random.int(1, 8), status: 503, body: 'html' }),
  (random) => ({ path: READS, forMs: random.int(500, 4_000), status: 500, body: 'errors' }),
  (random) => ({ path: `${READS}/items`, times: random.int(1, 5), cut: true }),
  (random) => ({ path: READS, times: random.int(1, 5), cut: true }),
  (random) => ({ path: READS, times: random.int(1, 5), malformed: true }),
  (random) => ({ path: READS, times: random.int(1, 10), delayMs: random.int(200, 3_000) }),
];

/** One moment in each of `count` equal stretches of time, at random within it. */
function spread(count: number, lengthMs: number, random: Random): readonly number[] {
  const stretch = ((LAST - FIRST) * lengthMs) / count;
  return Array.from({ length: count }, (_, n) => Math.round(FIRST * lengthMs + (n + random.next()) * stretch));
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((entry) => ({ entry, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}
