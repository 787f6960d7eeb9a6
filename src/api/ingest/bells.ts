import type { IngestLog, Rings } from './ports.ts';

export interface BellTimes {
  /** At least this long between two rings, each for all tenants that had events meanwhile. */
  readonly gapMs: number;
  /** Longest wait after rings that failed. The sweep of parked tenants finds what is never rung for. */
  readonly maxWaitMs: number;
}

// 20 rings a second are little for Postgres, and 50 ms are little in a freshness of 300.
const TIMES: BellTimes = { gapMs: 50, maxWaitMs: 5_000 };

/** Rings for tenants whose events were accepted, off the answer's path. The first ring goes at once, those that follow together. */
export interface Bells {
  ring(tenantId: string): void;
  /** Rings what has not been rung, once, and ends. */
  close(): Promise<void>;
}

export function createBells(rings: Rings, log: IngestLog, given: Partial<BellTimes> = {}): Bells {
  const times: BellTimes = { ...TIMES, ...given };
  // An event after the ring has begun needs another one: its tenant is put here again.
  let waiting = new Set<string>();
  let ringing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let failures = 0;
  let closed = false;

  function ring(tenantId: string): void {
    waiting.add(tenantId);
    if (ringing === null && timer === null) start();
  }

  function start(): void {
    timer = null;
    if (waiting.size === 0 || ringing !== null) return;
    const tenantIds = waiting;
    waiting = new Set();
    ringing = rings.ring([...tenantIds]).then(succeeded, (error: unknown) => failed(error, tenantIds));
  }

  function succeeded(): void {
    if (failures > 0) log.info({ failures }, 'parked tenants can be woken again');
    failures = 0;
    next(times.gapMs);
  }

  function failed(error: unknown, tenantIds: ReadonlySet<string>): void {
    if (failures === 0) log.warn({ err: error, tenants: tenantIds.size }, 'parked tenants cannot be woken');
    failures += 1;
    for (const tenantId of tenantIds) waiting.add(tenantId);
    next(Math.min(times.gapMs * 2 ** failures, times.maxWaitMs));
  }

  function next(ms: number): void {
    ringing = null;
    if (!closed) timer = setTimeout(start, ms);
  }

  return {
    ring,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await ringing;
      start();
      await ringing;
    },
  };
}
