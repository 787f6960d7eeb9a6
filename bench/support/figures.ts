/** One line of a benchmark's result. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
  /** Value ÷ limit; the value itself where the limit is 0. */
  readonly ratio: number;
  readonly better: 'lower' | 'higher';
}

export function figure(name: string, value: number, unit: string, better: 'lower' | 'higher', limit: number): Figure {
  return { name, value: round(value), unit, limit, ratio: round(limit === 0 ? value : value / limit), better };
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
};

const round = (value: number): number => Number(value.toPrecision(3));
