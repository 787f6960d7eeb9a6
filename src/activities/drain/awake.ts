/** A drain at work, as its worker sees it. */
export interface AwakeDrain {
  readonly tenantId: string;
  /** ms for which it has had nothing to do; 0 while it has. */
  idleMs(): number;
  /** Looks whether it has to end. Called a few times a second. */
  tick(): void;
  /** Something is in the ledger that did not come through the queue. */
  look(): void;
  /** Parks, if nothing has come meanwhile. */
  park(): void;
  /** Finishes what it is reading and ends, for its tenant to be begun anew: by another worker, perhaps. */
  moveOn(): void;
  /** Gives up what it is reading, and ends. */
  stop(): void;
}

/** So much of its slots a worker keeps free for tenants that are woken. */
const FREE = 0.1;
/** A drain that has had nothing to do for so long may park; a receive that found nothing for a second says that the queue is empty. */
const IDLE_MS = 1_500;
const TICK_MS = 250;

/**
 * The drains at work in this worker: its slots are a cache of tenants that are awake. While there are slots, each stays as long as it likes; when they run
 * short, those that have had nothing to do for longest park.
 */
export class Awake {
  readonly #total: number;
  readonly #drains = new Set<AwakeDrain>();
  #ticking: NodeJS.Timeout | undefined;
  #crowded = false;
  #leaving = false;

  /** `total`: drains that the worker runs at once (DRAIN_SLOTS). */
  constructor(total: number) {
    this.#total = total;
  }

  /** Call the answer once, when the drain has ended. One of the same tenant that is still there has lost its fence, and would only take messages away. */
  enter(drain: AwakeDrain): () => void {
    for (const before of this.of(drain.tenantId)) before.stop();
    this.#drains.add(drain);
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
    if (this.#leaving) drain.moveOn();
    return () => {
      this.#drains.delete(drain);
      if (this.#drains.size > 0) return;
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    };
  }

  get isLeaving(): boolean {
    return this.#leaving;
  }

  get size(): number {
    return this.#drains.size;
  }

  /** Others may be waiting for a slot, and none of the drains is idle: budgets are spent. */
  get crowded(): boolean {
    return this.#crowded;
  }

  /** The drains of a tenant; more than one only while a new one takes over from one that lost its fence. */
  of(tenantId: string): readonly AwakeDrain[] {
    return [...this.#drains].filter((drain) => drain.tenantId === tenantId);
  }

  /** So many end, the idle ones first, for other workers to take their tenants. */
  handOver(count: number): void {
    for (const drain of this.#byIdleness().slice(0, count)) drain.moveOn();
  }

  /** The worker ends: all of them hand over, and so does each that still comes. */
  leave(): void {
    this.#leaving = true;
    for (const drain of this.#drains) drain.moveOn();
  }

  #tick(): void {
    const tooMany = this.#drains.size - Math.floor(this.#total * (1 - FREE));
    if (tooMany > 0) {
      const idle = this.#byIdleness().filter((drain) => drain.idleMs() >= IDLE_MS);
      for (const drain of idle.slice(0, tooMany)) drain.park();
      this.#crowded = idle.length < tooMany;
    } else this.#crowded = false;
    for (const drain of this.#drains) drain.tick();
  }

  #byIdleness(): readonly AwakeDrain[] {
    return [...this.#drains]
      .map((drain) => ({ drain, idleMs: drain.idleMs() }))
      .sort((a, b) => b.idleMs - a.idleMs)
      .map(({ drain }) => drain);
  }
}
