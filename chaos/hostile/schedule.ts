import { createRandom, type Random } from '../../simulator/random.ts';
import { ALL_KINDS, FULL_MS, factsOf, type Kind } from './kinds.ts';

/** Trouble at its time. `atMs` counts from the first event; what comes late comes all the same, and moves what comes after it. */
export interface Trouble {
  readonly atMs: number;
  /** How long it lasts; 0 for a moment. */
  readonly forMs: number;
  readonly kind: Kind;
  /** Number of the tenant that it happens to; null when it is everybody's. */
  readonly tenant: number | null;
  /** Numbers of its own in [0, 1): which status, which body, which customer. */
  readonly dice: readonly [number, number];
}

export interface ScheduleOptions {
  readonly seed: string;
  readonly tenants: number;
  /** How long events are sent. */
  readonly lengthMs: number;
  /** A Postgres of its own, which can turn read-only. */
  readonly postgres: boolean;
  /** No others than these. */
  readonly only?: readonly Kind[] | undefined;
}

/** The first and the last part of the time are left in peace: something must be under way, and something must come after. */
const FIRST = 0.05;
const LAST = 0.9;
/** What is over leaves so many seconds, in a run of FULL_MS, to the next of its lane: a part must be back before another is killed. */
const GAP_SECONDS = { tenant: [2, 12], house: [8, 18] } as const;
/** A spell in a short run is still longer than a reading and its second try. */
const SHORTEST_MS = 2_500;
const SHORTEST_GAP_MS = 2_000;

/**
 * What happens in a run: the same seed gives the same. Each tenant has one trouble at a time, and the house one more. Every kind comes before any comes
 * again, to another tenant each time, and each at least once, even when that takes longer than `lengthMs`.
 */
export function makeSchedule({ seed, tenants, lengthMs, postgres, only }: ScheduleOptions): readonly Trouble[] {
  const random = createRandom('hostile', seed);
  const scale = Math.min(1, lengthMs / FULL_MS);
  const possible = ALL_KINDS.filter((kind) => postgres || factsOf(kind).needs !== 'postgres');
  const kinds = possible.filter((kind) => only === undefined || only.includes(kind));
  const of = (lane: 'tenant' | 'house') => kinds.filter((kind) => factsOf(kind).lane === lane);
  const lanes = Array.from({ length: tenants }, (_, tenant) => tenant);
  const fill = (numbers: readonly (number | null)[], lane: keyof typeof GAP_SECONDS): readonly Trouble[] =>
    deal(numbers, of(lane), { from: FIRST * lengthMs, to: LAST * lengthMs, scale, gap: GAP_SECONDS[lane], random });
  return [...fill(lanes, 'tenant'), ...fill([null], 'house')].sort((a, b) => a.atMs - b.atMs);
}

interface Table {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Seconds at least and at most. */
  readonly gap: readonly [least: number, most: number];
  readonly random: Random;
}

/** Deals one shuffled deck after another, each card to the lane that is free first, until all lanes are full and all kinds were dealt. */
function deal(lanes: readonly (number | null)[], cards: readonly Kind[], table: Table): readonly Trouble[] {
  const { from, to, scale, random } = table;
  const between = (least: number, most: number): number => scale * 1_000 * (least + random.next() * (most - least));
  const gap = (): number => Math.max(SHORTEST_GAP_MS, between(...table.gap));
  const free = lanes.map((lane) => ({ lane, atMs: from + gap() }));
  const troubles: Trouble[] = [];
  let deck: readonly Kind[] = [];
  for (;;) {
    const next = free.reduce((first, one) => (one.atMs < first.atMs ? one : first));
    if (cards.length === 0 || (next.atMs >= to && troubles.length >= cards.length)) return troubles;
    if (deck.length === 0) deck = shuffled(cards, random);
    const [kind, ...left] = deck;
    if (kind === undefined) return troubles;
    deck = left;
    const [least, most] = factsOf(kind).seconds;
    const forMs = most === 0 ? 0 : Math.max(SHORTEST_MS, Math.round(between(least, most)));
    const dice = [random.next(), random.next()] as const;
    troubles.push({ atMs: Math.round(next.atMs), forMs, kind, tenant: next.lane, dice });
    next.atMs += forMs + gap();
  }
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((entry) => ({ entry, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}
