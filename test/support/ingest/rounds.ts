import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Program } from './processes.ts';
import type { Senders } from './senders.ts';

/** A program that goes on accepting for so long after its SIGTERM. */
export interface Leaver {
  readonly program: Program;
  readonly delayMs: number;
}

export interface RoundsOptions {
  /** Rounds that must count. */
  readonly wanted: number;
  readonly start: (delayMs: number) => Promise<Leaver>;
  /** True once the program that leaves gets no new deliveries any more. */
  readonly isNoticed: (program: Program) => boolean;
}

/** Many times the balancer's interval: it shares the machine with all the rest. */
const FIRST_NOTICE_MS = 1_000;
/** The part of the notice until nobody sends new deliveries to the one that leaves; the rest is for those on their way. */
const NOTICED_WITHIN = 1 / 2;
/** The test's own process is sender and balancer: it must not have stood still for longer than this part of the notice. */
const STALLED_FOR = 1 / 4;
const NS_PER_MS = 1_000_000;

/** Two programs, of which one after the other is ended with SIGTERM, and replaced. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #running: Leaver[] = [];
  #delayMs = FIRST_NOTICE_MS;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    for (let n = 0; n < 2; n += 1) this.#running.push(await this.#options.start(this.#delayMs));
  }

  /**
   * Of each of these senders, what was refused in the rounds that count. A round in which the machine was too slow for the notice does not, whatever came of it:
   * it shows nothing about a deploy. The next ones get twice the notice, until so many have counted.
   */
  async run(senders: readonly Senders[]): Promise<string[][]> {
    const found = senders.map((): string[] => []);
    for (let counted = 0; counted < this.#options.wanted; ) {
      const before = senders.map(({ refused }) => refused.length);
      if (!(await this.#round())) continue;
      counted += 1;
      senders.forEach(({ refused }, n) => void found[n]?.push(...refused.slice(before[n])));
    }
    return found;
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map(({ program }) => program.end('SIGTERM')));
  }

  /** True when it counts. */
  async #round(): Promise<boolean> {
    const { start, isNoticed } = this.#options;
    const leaver = this.#running.shift();
    if (leaver === undefined) throw new Error('nothing runs');
    const { program, delayMs } = leaver;
    const stalls = monitorEventLoopDelay({ resolution: 10 });
    stalls.enable();
    const began = performance.now();
    const gone = program.end('SIGTERM');
    while (!isNoticed(program)) await pause(5);
    const noticedMs = performance.now() - began;
    await gone;
    if (program.process.exitCode !== 0) throw new Error(`it ended with ${program.process.exitCode}`);
    stalls.disable();
    this.#running.push(await start(this.#delayMs));
    const stalledMs = stalls.max / NS_PER_MS;
    if (noticedMs <= delayMs * NOTICED_WITHIN && stalledMs <= delayMs * STALLED_FOR) return true;
    const slow = `noticed after ${Math.round(noticedMs)} ms, stood still for ${Math.round(stalledMs)} ms`;
    process.stdout.write(`not counted: a notice of ${delayMs} ms is too short for this machine (${slow})\n`);
    this.#delayMs = Math.max(this.#delayMs, 2 * delayMs);
    return false;
  }
}
