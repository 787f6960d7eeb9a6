/** Splits a list, in order, into pieces of at most this size together; what is larger by itself is a piece of its own. */
export function inPieces<T>(all: readonly T[], sizeOf: (one: T) => number, most: number): readonly (readonly T[])[] {
  const pieces: T[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const one of all) {
    const its = sizeOf(one);
    size += its;
    if (size > most) {
      pieces.push([]);
      size = its;
    }
    pieces.at(-1)?.push(one);
  }
  return pieces;
}
