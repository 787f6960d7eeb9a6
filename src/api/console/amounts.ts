/** How the console writes numbers and durations: the same everywhere, and short. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const count = (number: number): string => whole.format(number);

/** `1 event`, `2 events`. */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`;

const UNITS = [
  { ms: 86_400_000, one: 'day', many: 'days' },
  { ms: 3_600_000, one: 'h', many: 'h' },
  { ms: 60_000, one: 'min', many: 'min' },
  { ms: 1_000, one: 's', many: 's' },
] as const;

/** `850 ms`, `1.4 s`, `12 min`, `3 h`, `2 days`: one unit, as exact as a glance takes in. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const unit = UNITS.find((one) => ms >= one.ms * 0.9995) ?? { ms: 1_000, one: 's', many: 's' };
  const amount = ms / unit.ms;
  const shown = amount < 9.95 ? Math.round(amount * 10) / 10 : Math.round(amount);
  return `${shown} ${shown === 1 ? unit.one : unit.many}`;
}
