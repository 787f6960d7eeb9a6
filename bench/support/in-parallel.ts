/** Does it for each of them, so many at a time; the results are in their order. What fails first is thrown when those under way are over. */
export async function inParallel<T, R>(
  all: readonly T[],
  atOnce: number,
  act: (one: T, n: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const left = [...all.entries()];
  let failed = false;
  const helpers = Array.from({ length: atOnce }, async () => {
    for (let next = left.shift(); next && !failed; next = left.shift()) {
      const [n, one] = next;
      try {
        results[n] = await act(one, n);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const ended = await Promise.allSettled(helpers);
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
  return results;
}
