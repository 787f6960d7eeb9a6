import type { Settings } from '../settings.ts';

export type QuotaVerdict = { allowed: boolean; limit: number; remaining: number };

/**
 * The organization's quota: 10 requests a second for each method, over all clients and tokens (gladly.md 2.4). A
 * refused request does not count. Real time: a second is a second whatever the clock factor.
 */
export type Quota = {
  /** undefined when the limit is lifted. */
  take(method: string): QuotaVerdict | undefined;
};

export function createQuota(settings: Settings, now: () => number = Date.now): Quota {
  const taken = new Map<string, number[]>();
  const rivals = new Map<string, Rival>();

  function rivalOf(method: string): Rival {
    const rival = rivals.get(method) ?? createRival(settings);
    rivals.set(method, rival);
    return rival;
  }

  return {
    take: (method) => {
      const limit = settings.quotaPerSecond;
      if (limit === null) return undefined;
      const at = now();
      const since = settings.quotaWindow === 'fixed' ? at - (at % 1000) : at - 999;
      const recent = (taken.get(method) ?? []).filter((time) => time >= since);
      rivalOf(method).ask(at, () => {
        if (recent.length < limit) recent.push(at);
      });
      const allowed = recent.length < limit;
      if (allowed) recent.push(at);
      taken.set(method, recent);
      return { allowed, limit, remaining: Math.max(0, limit - recent.length) };
    },
  };
}

/** Another client: whoever asks next finds that it has asked meanwhile. */
type Rival = { ask(at: number, one: () => void): void };

function createRival(settings: Pick<Settings, 'rivalPerSecond'>): Rival {
  let asked = 0;
  return {
    ask: (at, one) => {
      const perMs = settings.rivalPerSecond / 1000;
      // What it asked for more than a second ago is of no second that counts.
      asked = Math.max(asked, at - 1000);
      for (; perMs > 0 && asked + 1 / perMs <= at; asked += 1 / perMs) one();
      if (perMs === 0) asked = at;
    },
  };
}

/** The headers of gladly.md 2.4. */
export function quotaHeaders(verdict: QuotaVerdict | undefined): Record<string, string> {
  if (verdict === undefined) return {};
  return {
    'Ratelimit-Limit-Second': String(verdict.limit),
    'Ratelimit-Remaining-Second': String(verdict.remaining),
  };
}
