import { z } from 'zod';

/** A warning or an error of a part, as it is shown on the terminal. */
const logLine = z.object({
  level: z.union([z.number(), z.string()]),
  msg: z.string().default(''),
  tenant: z.string().optional(),
  tenantId: z.string().optional(),
  err: z.object({ message: z.string() }).optional().catch(undefined),
});

/** Pino's numbers (30 is info). */
const LEVELS = new Map([
  [40, 'warning'],
  [50, 'error'],
  [60, 'fatal'],
]);
const NAMED_LEVELS = new Map([
  ['warn', 'warning'],
  ['error', 'error'],
  ['fatal', 'fatal'],
]);

/** The same line again within this time says nothing new. */
const REPEAT_MS = 10_000;
const REMEMBERED = 500;

/** Picks the lines of parts that are worth a person's attention: pino's warnings and worse, and what is no log line at all. */
export class PartLines {
  readonly #shownAt = new Map<string, number>();

  /** The line to show, or undefined. */
  read(part: string, text: string, stream: 'stdout' | 'stderr', nowMs = performance.now()): string | undefined {
    const line = text.startsWith('{') ? fromPino(text) : stream === 'stderr' ? fromStderr(text) : undefined;
    if (line === undefined) return undefined;
    const shown = `${part}: ${line}`;
    const before = this.#shownAt.get(shown);
    if (before !== undefined && nowMs - before < REPEAT_MS) return undefined;
    if (this.#shownAt.size >= REMEMBERED) this.#shownAt.clear();
    this.#shownAt.set(shown, nowMs);
    return shown;
  }
}

function fromPino(text: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = logLine.safeParse(json);
  const level = data && (typeof data.level === 'number' ? LEVELS.get(data.level) : NAMED_LEVELS.get(data.level));
  if (data === undefined || level === undefined) return undefined;
  const tenant = data.tenant ?? data.tenantId;
  const words = [tenant === undefined ? level : `${level}, tenant ${tenant}`, data.msg, data.err?.message];
  return words.filter((word) => word !== undefined && word !== '').join(': ');
}

/** Node's own notices about Node are in the log file, for those who care. */
function fromStderr(text: string): string | undefined {
  return text.trim() === '' || /^\(node:\d+\)|^\(Use `node --trace/.test(text) ? undefined : text;
}
