/** Memory for what was received or read and is not written yet, in bytes, shared by all drains of a worker. */
export class Room {
  readonly #bytes: number;
  #used = 0;
  #freed = Promise.withResolvers<void>();

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get isFull(): boolean {
    return this.#used >= this.#bytes;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  giveBack(bytes: number): void {
    this.#used -= bytes;
    if (this.isFull) return;
    this.#freed.resolve();
    this.#freed = Promise.withResolvers<void>();
  }

  /**
   * Takes so many bytes as soon as there is room, and resolves then, or when `stop` is aborted, with what it took. The last one in may exceed it.
   * Whoever holds memory gives it back without waiting here, so it ends.
   */
  async reserve(bytes: number, stop: AbortSignal): Promise<number> {
    // Looked at again after each wait: all who wait are told at once, and the first may have filled it.
    while (this.isFull && !stop.aborted) await this.#freedOr(stop);
    if (stop.aborted) return 0;
    this.take(bytes);
    return bytes;
  }

  async #freedOr(stop: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    const onStop = (): void => stopped.resolve();
    stop.addEventListener('abort', onStop, { once: true });
    await Promise.race([this.#freed.promise, stopped.promise]);
    stop.removeEventListener('abort', onStop);
  }
}

/**
 * What one reading holds of a room. Nobody knows beforehand how much Gladly will answer, so a reading begins with little and grows while there is
 * room. When there is none it does not wait with what it holds, as others might then wait for each other: it gives up, gives all of it back, and
 * begins anew once it can have the most that a reading takes. Whoever has that much never gives up, also where it is more than the room.
 */
export class Share {
  readonly #room: Room;
  #crowdedOut = new AbortController();
  #held = 0;
  #needed = 0;
  #mayGrow = false;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Aborted when the reading has to give up what it reads. */
  get crowdedOut(): AbortSignal {
    return this.#crowdedOut.signal;
  }

  /** Gives back what is held, and waits for so many bytes. False when `stop` was aborted first: then nothing is held. */
  async enter(bytes: number, stop: AbortSignal, { mayGrow }: { readonly mayGrow: boolean }): Promise<boolean> {
    this.leave();
    this.#crowdedOut = new AbortController();
    this.#mayGrow = mayGrow;
    this.#held = await this.#room.reserve(bytes, stop);
    return this.#held > 0;
  }

  /** What was read before is read again. */
  again(): void {
    this.#needed = 0;
  }

  /** So many bytes more have come. */
  readonly took = (bytes: number): void => {
    this.#needed += bytes;
    if (this.#needed <= this.#held) return;
    if (this.#room.isFull && !this.#mayGrow) this.#crowdedOut.abort();
    else this.#hold(this.#needed);
  };

  /** All has come: holds what it is, until `leave`. */
  settle(): void {
    this.#hold(this.#needed);
  }

  leave(): void {
    this.#needed = 0;
    this.#hold(0);
  }

  #hold(bytes: number): void {
    const more = bytes - this.#held;
    this.#held = bytes;
    if (more > 0) this.#room.take(more);
    else if (more < 0) this.#room.giveBack(-more);
  }
}
