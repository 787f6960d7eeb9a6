import { ActivityFailure, CancellationScope, condition, isCancellation, log } from '@temporalio/workflow';

/**
 * Runs `work`; cancels it as soon as `stop` says so, and then waits until it has ended. Gives its result, also one that it still came to when
 * it was cancelled; null when it was cancelled and has none. `tell` is called with the cancellation, for a server that takes long to pass it on; it is over
 * when this resolves, and may fail.
 */
export async function unlessStopped<T>(
  stop: () => boolean,
  work: () => Promise<T>,
  tell: () => Promise<void> = async () => undefined,
): Promise<T | null> {
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
  const told = tell().catch((error: unknown) =>
    log.warn('activity: not told to stop', { event: 'activity.stop_not_told', error: String(error) }),
  );
  try {
    return await running;
  } catch (error) {
    // Cancelled before it began or between two tries; or its worker died, and Temporal retries no activity that was cancelled. Do not ask
    // `stop()` here: it may have become false again while the work ended.
    if (isCancellation(error) || error instanceof ActivityFailure) return null;
    throw error;
  } finally {
    await told;
  }
}
