import { readdirSync, readFileSync } from 'node:fs';

/** A process of /proc. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Its own processor time. */
  readonly ms: number;
  /** That of its children that have ended and were waited for. */
  readonly ofEnded: number;
}

/** Of a process that a meter looks at. */
export interface Watched {
  readonly pid: number;
  /** Its children are other names' (a supervisor's), and not counted with it. */
  readonly alone?: boolean;
}

/** Milliseconds by name. */
export type Usage = ReadonlyMap<string, number>;

/** Linux counts in hundredths of a second on all machines that this runs on (`getconf CLK_TCK`). */
const TICK_MS = 10;
const LOOK_MS = 1_000;

/** Reads /proc/PID/stat (proc(5)); its second field, the name, may hold spaces and brackets. Undefined: it is not one. */
export function parseStat(text: string): ProcessTimes | undefined {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Fields 14 to 17: user and system time, its own and that of children it has waited for.
  const [user, system, endedUser, endedSystem, parent] = [11, 12, 13, 14, 1].map((n) => Number(fields[n]));
  if (user === undefined || system === undefined || endedUser === undefined || endedSystem === undefined)
    return undefined;
  const times = {
    pid,
    parent: parent ?? 0,
    ms: (user + system) * TICK_MS,
    ofEnded: (endedUser + endedSystem) * TICK_MS,
  };
  return Object.values(times).every(Number.isFinite) ? times : undefined;
}

/** The time of a process with all its descendants; of it alone when its children are others' to count. Undefined: it is not there. */
export function timeOf({ pid, alone }: Watched, table: ReadonlyMap<number, ProcessTimes>): number | undefined {
  const own = table.get(pid);
  if (own === undefined || alone) return own?.ms;
  let sum = own.ms + own.ofEnded;
  for (const { pid: child, parent } of table.values()) if (parent === pid) sum += timeOf({ pid: child }, table) ?? 0;
  return sum;
}

function processTable(): ReadonlyMap<number, ProcessTimes> {
  const table = new Map<number, ProcessTimes>();
  for (const folder of readdirSync('/proc')) {
    if (!/^\d+$/.test(folder)) continue;
    try {
      const times = parseStat(readFileSync(`/proc/${folder}/stat`, 'utf8'));
      if (times) table.set(times.pid, times);
    } catch {
      // It has just ended.
    }
  }
  return table;
}

/**
 * Adds up the processor time of named processes from now on. Looked at once a second, so that one that is killed, or started later under the same
 * name, counts too: but for its last second.
 */
export class ProcessorTime {
  readonly #processes: () => ReadonlyMap<string, Watched>;
  readonly #table: () => ReadonlyMap<number, ProcessTimes>;
  readonly #seen = new Map<string, { readonly name: string; readonly from: number; last: number }>();
  readonly #looking: NodeJS.Timeout;
  #isFirst = true;

  /** `processes` is asked anew at each look. */
  constructor(processes: () => ReadonlyMap<string, Watched>, table = processTable) {
    this.#processes = processes;
    this.#table = table;
    this.look();
    this.#isFirst = false;
    this.#looking = setInterval(() => this.look(), LOOK_MS);
  }

  look(): void {
    const table = this.#table();
    for (const [name, watched] of this.#processes()) {
      const ms = timeOf(watched, table);
      if (ms === undefined) continue;
      const key = `${name}/${watched.pid}`;
      const seen = this.#seen.get(key);
      if (seen) seen.last = ms;
      else this.#seen.set(key, { name, from: this.#isFirst ? ms : 0, last: ms });
    }
  }

  /** What was used until now. */
  used(): Usage {
    this.look();
    const usage = new Map<string, number>();
    for (const { name, from, last } of this.#seen.values()) usage.set(name, (usage.get(name) ?? 0) + last - from);
    return usage;
  }

  stop(): Usage {
    clearInterval(this.#looking);
    return this.used();
  }
}

/** The processes that an event is the business of; the simulated Gladly and the benchmark itself are not. */
export const OURS = ['api', 'worker', 'temporal', 'postgres', 'sqs'] as const;

/** Of those of the names that begin so (`worker-2`), together. */
export function sumOf(usage: Usage, names: readonly string[]): number {
  let sum = 0;
  for (const [name, ms] of usage) if (names.includes(name.split('-')[0] ?? '')) sum += ms;
  return sum;
}

/** `worker 12.3 s, api 4.5 s`, most first; with a number of events also what each cost. */
export function inWords(usage: Usage, events?: number): string {
  return [...usage]
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => {
      const each = events ? ` (${(ms / events).toFixed(2)} ms an event)` : '';
      return `${name} ${(ms / 1_000).toFixed(1)} s${each}`;
    })
    .join(', ');
}
