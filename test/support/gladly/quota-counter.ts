import type { QuotaAnswer } from '../../../src/gladly/quota.ts';

/** How an organization's requests are counted: per second of some clock, or over the last second. */
export type Window = { readonly kind: 'fixed'; readonly phaseMs: number } | { readonly kind: 'sliding' };

/** The counter of a gateway as Gladly documents it: so many a second for all clients together, 429 beyond. */
export function quotaCounter(limit: number, window: Window): (now: number) => QuotaAnswer {
  let second = Number.NEGATIVE_INFINITY;
  let used = 0;
  let recent: number[] = [];
  return (now) => {
    if (window.kind === 'fixed') {
      const current = Math.floor((now - window.phaseMs) / 1_000);
      if (current !== second) used = 0;
      second = current;
    } else {
      recent = recent.filter((it) => now - it < 1_000);
      used = recent.length;
    }
    if (used >= limit) return { status: 429, limit, remaining: 0 };
    used++;
    recent.push(now);
    return { status: 200, limit, remaining: limit - used };
  };
}
