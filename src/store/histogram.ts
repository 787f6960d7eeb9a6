/**
 * Counts by size, for percentiles that several writers can add up. Bucket n holds 10 ms × √2^n and less, so a percentile is at most
 * 41 % too high; the last one holds all above 16 days, longer than SQS keeps anything.
 */
const FIRST_MS = 10;
const BUCKETS = 56;
const EDGES = Array.from({ length: BUCKETS }, (_, n) => FIRST_MS * Math.SQRT2 ** n);

/** Counts of each bucket for these durations, in ms. */
export function histogramOf(durationsMs: readonly number[]): readonly number[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const ms of durationsMs) {
    const bucket = EDGES.findIndex((edge) => ms <= edge);
    const at = bucket === -1 ? BUCKETS - 1 : bucket;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

export function addHistograms(a: readonly number[], b: readonly number[]): readonly number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, n) => (a[n] ?? 0) + (b[n] ?? 0));
}

/** The upper edge, in ms, of the bucket that `share` (0 to 1) of all lie in or below; null without any. */
export function percentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  const at = counts.findIndex((count) => {
    seen += count;
    return seen >= total * share && count > 0;
  });
  return Math.round(EDGES[at] ?? 0);
}
