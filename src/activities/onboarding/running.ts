import { Context } from '@temporalio/activity';

/** Half a dozen beats within the workflow's heartbeat timeout. */
const BEAT_MS = 800;

/**
 * An activity that beats while it works, so that a dead worker is noticed in seconds, and that learns of its cancellation: `step` is
 * given the signal.
 */
export function beating<I, R>(step: (input: I, signal: AbortSignal) => Promise<R>): (input: I) => Promise<R> {
  return async (input) => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), BEAT_MS);
    try {
      return await step(input, context.cancellationSignal);
    } finally {
      clearInterval(beat);
    }
  };
}
