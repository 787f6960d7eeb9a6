/** What a status said of a tenant, and what was true. */
export interface Look {
  /** Milliseconds on one clock for all looks and spans. */
  readonly atMs: number;
  readonly tenant: string;
  /** Codes of all problems, warnings and findings that it named. */
  readonly named: readonly string[];
  /** It said that somebody has stopped extraction, or that states cannot be known now. */
  readonly excused: boolean;
  /** Codes that are true for as long as something is there: dead letters, rejected events. */
  readonly standing: readonly string[];
  /** The oldest event that was accepted and has no final state; null when there is none. */
  readonly oldest: string | null;
}

/** Trouble while it lasts. */
export interface Span {
  readonly fromMs: number;
  /** Null while it lasts. */
  readonly toMs: number | null;
  /** Null: everybody's. */
  readonly tenant: string | null;
  readonly explains: (code: string) => boolean;
}

/** The oldest waiting event has not moved for so long: a person must be told why. */
const STILL_MS = 120_000;
/** What is over may be named so long. */
const OVER_MS = 60_000;

export interface Misled {
  readonly atMs: number;
  readonly tenant: string;
  readonly why: string;
}

/**
 * The looks that misled: nothing was named although the oldest waiting event had not moved for two minutes, or something was named that had
 * been over for a minute. Something is over when no trouble explains it, it is not there any more, and events move. `looks`: in the order of time.
 */
export function misledBy(looks: readonly Look[], spans: readonly Span[]): readonly Misled[] {
  const byTenant = Map.groupBy(looks, ({ tenant }) => tenant);
  return [...byTenant.values()].flatMap((own) => misledOne(own, spans));
}

function misledOne(looks: readonly Look[], spans: readonly Span[]): readonly Misled[] {
  /** When each code was last explained by something that was seen or under way. */
  const explainedAt = new Map<string, number>();
  const misled: Misled[] = [];
  let still: { readonly oldest: string | null; readonly sinceMs: number } | undefined;
  for (const { atMs, tenant, named, excused, standing, oldest } of looks) {
    if (still === undefined || still.oldest !== oldest) still = { oldest, sinceMs: atMs };
    const stillMs = oldest === null ? 0 : atMs - still.sinceMs;
    if (stillMs >= STILL_MS && named.length === 0 && !excused) {
      misled.push({ atMs, tenant, why: `nothing named, and ${oldest} has not moved for ${seconds(stillMs)} s` });
    }
    for (const code of named) {
      const spanned = lastExplained(code, tenant, atMs, spans);
      const now = standing.includes(code) || stillMs >= OVER_MS ? atMs : Number.NEGATIVE_INFINITY;
      // Named for the first time, it is not known to have been over for long.
      const last = Math.max(spanned, now, explainedAt.get(code) ?? Number.NEGATIVE_INFINITY);
      explainedAt.set(code, last);
      if (atMs - last >= OVER_MS) misled.push({ atMs, tenant, why: `${code} is named, and is over` });
    }
    // What stands is remembered also while it is not named: a status may be a look behind.
    for (const code of standing) explainedAt.set(code, atMs);
  }
  return misled;
}

/** The latest time up to `atMs` at which trouble explained `code`. */
function lastExplained(code: string, tenant: string, atMs: number, spans: readonly Span[]): number {
  return spans
    .filter((span) => span.fromMs <= atMs && (span.tenant === null || span.tenant === tenant) && span.explains(code))
    .reduce((last, { toMs }) => Math.max(last, Math.min(toMs ?? atMs, atMs)), Number.NEGATIVE_INFINITY);
}

const seconds = (ms: number): number => Math.round(ms / 1_000);
