/**
 * What a part of the embedded world says to the supervisor that started it, over Node's IPC channel.
 * Without a supervisor (`main.ts api` run alone) all of it does nothing, so every part may call it.
 */
export type PartMessage =
  | { readonly type: 'ready'; readonly port?: number }
  /** Starting again would fail in the same way: a port that is taken, a bad variable. */
  | { readonly type: 'unhealable'; readonly message: string };

/** How long a part may take to stop by itself once its supervisor is gone, in milliseconds. */
const GRACE_WITHOUT_PARENT_MS = 2_000;

/** Ends this process, as SIGTERM would, when its supervisor has died: killed with SIGKILL, it could not say goodbye. */
export function exitWithParent(): void {
  if (process.send === undefined) return;
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE_WITHOUT_PARENT_MS).unref();
    process.kill(process.pid, 'SIGTERM');
  });
}

export function tellParentReady(facts: { readonly port?: number } = {}): void {
  tell({ type: 'ready', ...facts });
}

/** Says why starting again is no use, to the supervisor or else on stderr, and exits with 1. Never settles. */
export function exitUnhealable(message: string): Promise<never> {
  return new Promise(() => {
    if (process.send !== undefined) tell({ type: 'unhealable', message }, () => process.exit(1));
    else process.stderr.write(`${message}\n`, () => process.exit(1));
  });
}

/** True for the error of a listen() on a port that somebody else has. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function tell(message: PartMessage, sent: () => void = () => undefined): void {
  // The supervisor may just have died; 'disconnect' deals with that.
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else sent();
}
