/** What one worker says of itself to the others, for one organization and one method. */
export interface Claim {
  /** Requests a second it would make if it might: all that is allowed while some wait, else a little more than it makes. */
  readonly wants: number;
  /** Requests a second it keeps to until it says otherwise. */
  readonly claims: number;
  /** The most it sent within one second lately. */
  readonly peak: number;
}

/** How often the workers hear of each other while they are at work. */
export const LOOK_MS = 2_000;

/**
 * The part of `total` for who wants `wants` beside others: whoever wants less than an even part gets it, and the rest is divided evenly. Workers that
 * see the same wants never take more than `total` together, and leave nothing that one of them could use.
 */
export function fairPart(total: number, wants: number, others: readonly number[]): number {
  let left = total;
  let sharing = others.length + 1;
  for (const it of [...others].sort((a, b) => a - b)) {
    if (it >= left / sharing) break;
    left -= it;
    sharing--;
  }
  return Math.min(wants, left / sharing);
}

/**
 * What to claim next: the fair part, and no more than the others' claims leave, who may not have heard yet. `floor`: what everybody may use
 * unasked.
 */
export function nextClaim(total: number, wants: number, floor: number, others: readonly Claim[]): number {
  if (others.length === 0) return total;
  const taken = others.reduce((sum, it) => sum + it.claims, 0);
  const fair = fairPart(
    total,
    wants,
    others.map((it) => it.wants),
  );
  return Math.min(wants, Math.max(floor, Math.min(fair, total - taken)));
}

/**
 * Requests of these workers that one second may hold. One that keeps to its claim sends the next lower or the next higher whole number, and they do not all send
 * the higher one in the same second; one that began, or woke from a rest, sent more than its claim says.
 */
export const sentWithinASecond = (others: readonly Claim[]): number =>
  others.reduce((sum, it) => sum + (it.peak > Math.ceil(it.claims) ? it.peak : Math.min(it.peak, it.claims + 0.5)), 0);
