/** One value of a page of metrics in Prometheus' text format. */
interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** Counters and gauges; comments and values that are no numbers are left out. */
export function parseMetrics(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) return [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', of = '']) => [key, of] as const);
    return [{ name, labels: new Map(pairs), value: Number(value) }];
  });
}

/** Sums of one metric's samples by one of their labels; `only` leaves out samples with other values of other labels. */
export function sumBy(
  samples: readonly Sample[],
  metric: string,
  label: string,
  only: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    if (name !== metric || Object.entries(only).some(([key, wanted]) => labels.get(key) !== wanted)) continue;
    const key = labels.get(label) ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

/** How much each has grown; what has not is left out. */
export function grown(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map(
    [...after].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const).filter(([, more]) => more > 0),
  );
}

export const total = (sums: ReadonlyMap<string, number>): number => [...sums.values()].reduce((a, b) => a + b, 0);

/** Of the Temporal server that was started with `TEMPORAL_METRICS_PORT`. */
export async function serverMetrics(port: number): Promise<readonly Sample[]> {
  return parseMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
}
