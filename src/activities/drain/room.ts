/** Memory for messages that were received and are not written yet, in bytes, shared by all drains of a worker. */
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
