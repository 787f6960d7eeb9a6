/** What a benchmark has started, so that a signal, or an end of its time, ends that too. */
const running = new Set<() => Promise<unknown>>();

/** `end` is called when the benchmark is interrupted; it may be called twice. Returns what takes it back. */
export function endsWithUs(end: () => Promise<unknown>): () => void {
  running.add(end);
  return () => void running.delete(end);
}

/** Ends all of it, last started first. */
export async function endAll(): Promise<void> {
  for (const end of [...running].reverse()) await end().catch(() => undefined);
  running.clear();
}
