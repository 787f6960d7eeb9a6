/** From here on a drain that goes on may keep a tenant that was just woken from its turn. */
const CROWDED = 0.9;

/** The drains at work in this worker, so that each of them can tell whether others may be waiting for its slot. */
export class Slots {
  readonly #total: number;
  #taken = 0;

  /** `total`: how many drains the worker runs at once (DRAIN_SLOTS). */
  constructor(total: number) {
    this.#total = total;
  }

  /** Call the answer once, when the drain has ended. */
  take(): () => void {
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
    };
  }

  get crowded(): boolean {
    return this.#taken >= this.#total * CROWDED;
  }
}
