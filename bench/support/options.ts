/** What was typed does not fit; the message says what would. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** What a run was asked for, and whether it was asked for anything: a shorter run says nothing that the document should keep. */
export interface Asked<T extends Readonly<Record<string, number>>> {
  readonly options: T;
  readonly isWhole: boolean;
}

/** Reads `--name VALUE` (and `--name=VALUE`) for each of these names, which are numbers above 0. Throws OptionsError, which says what there is. */
export function readOptions<T extends Readonly<Record<string, number>>>(
  standard: T,
  words: readonly string[] = process.argv.slice(3),
): Asked<T> {
  const names = Object.keys(standard);
  const there = names.map((name) => `--${name} ${standard[name]}`).join(' ');
  const given: Record<string, number> = {};
  const rest = words.flatMap((word) => (word.startsWith('--') ? word.split('=', 2) : [word]));
  for (let n = 0; n < rest.length; n += 2) {
    const name = rest[n]?.replace(/^--/, '') ?? '';
    const value = Number(rest[n + 1]);
    if (!rest[n]?.startsWith('--') || !names.includes(name)) throw new OptionsError(`${rest[n]}: there is ${there}`);
    if (!(value > 0 && Number.isFinite(value))) throw new OptionsError(`--${name}: a number above 0`);
    given[name] = value;
  }
  return { options: { ...standard, ...given }, isWhole: rest.length === 0 };
}
