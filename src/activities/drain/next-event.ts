import type { EventEmitter } from 'node:events';

/**
 * Resolves when one of these events comes, when `unless` is aborted, or after `forMs` milliseconds. Made for each reading and each receive:
 * node:events' own with AbortSignal.any and AbortSignal.timeout cost several times as much.
 */
export function nextEvent(
  emitter: EventEmitter,
  events: readonly string[],
  unless: AbortSignal,
  forMs?: number,
): Promise<void> {
  if (unless.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      for (const event of events) emitter.off(event, done);
      unless.removeEventListener('abort', done);
      resolve();
    };
    const timer = forMs === undefined ? undefined : setTimeout(done, forMs);
    for (const event of events) emitter.once(event, done);
    unless.addEventListener('abort', done);
  });
}
