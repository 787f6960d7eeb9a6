/** Starts the jobs at once, `most` at a time in their order; each has a promise of its own. */
export function inTurn<T>(most: number, jobs: readonly (() => Promise<T>)[]): readonly Promise<T>[] {
  const waiting: (() => void)[] = [];
  let free = most;
  const turn = (): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return jobs.map((job) => {
    const result = turn().then(() => job().finally(leave));
    // Whoever awaits it learns of a failure; until then it is nobody's.
    result.catch(() => undefined);
    return result;
  });
}
