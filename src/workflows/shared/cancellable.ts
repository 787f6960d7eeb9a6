import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';

/**
 * Runs `work`; cancels it as soon as `stop` says so, and then waits until it has ended. Gives its result, also one that it still came to when
 * it was cancelled; null when it was cancelled and has none.
 */
export async function unlessStopped<T>(stop: () => boolean, work: () => Promise<T>): Promise<T | null> {
  const scope = new CancellationScope();
  let over = false;
  const running = scope.run(work).finally(() => {
    over = true;
  });
  // The result is awaited below; this only keeps a failure from being unhandled meanwhile.
  running.catch(() => undefined);
  await condition(() => over || stop());
  if (over) return running;
  scope.cancel();
  try {
    return await running;
  } catch (error) {
    // Cancelled before it began or between two tries; or its worker died, and Temporal retries no activity that was cancelled. Do not ask
    // `stop()` here: it may have become false again while the work ended.
    if (isCancellation(error) || error instanceof ActivityFailure) return null;
    throw error;
  }
}
