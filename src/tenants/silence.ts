/** One minute in which deliveries were accepted. */
export interface ActiveMinute {
  readonly minute: Date;
  readonly accepted: number;
}

const HOUR_MS = 3_600_000;
/** Nothing shorter is worth a word: a webhook that was switched off is found within the hour. */
const SHORTEST_MS = HOUR_MS;
/** Until its quiet times are known, nights and a weekend are allowed for. */
const UNKNOWN_MS = 72 * HOUR_MS;
/** A week has every night and a weekend in it. */
const LEARNED_AFTER_MS = 8 * 24 * HOUR_MS;
/** A tenant that sent in fewer minutes than this has no habit yet. */
const MIN_MINUTES = 20;

/**
 * Since when a tenant that usually sends has been silent, or null when its silence is nothing unusual. `minutes`: those of the last two
 * weeks in which something was accepted, in order. Unusual is twice the longest silence of those weeks.
 */
export function silentSince(minutes: readonly ActiveMinute[], now: Date): Date | null {
  const times = minutes.filter(({ accepted }) => accepted > 0).map(({ minute }) => minute.getTime());
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined || times.length < MIN_MINUTES) return null;
  let longest = 0;
  let before = first;
  for (const time of times) {
    longest = Math.max(longest, time - before);
    before = time;
  }
  const isLearned = last - first >= LEARNED_AFTER_MS;
  const usual = Math.max(SHORTEST_MS, 2 * longest, isLearned ? 0 : UNKNOWN_MS);
  return now.getTime() - last > usual ? new Date(last) : null;
}
