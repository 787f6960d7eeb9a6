import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Program } from './processes.ts';
import type { Senders } from './senders.ts';

/** A program, and how long it accepts connections after SIGTERM. */
export interface Server {
  readonly program: Program;
  readonly delayMs: number;
}

export interface RoundsOptions {
  /** Number of rounds that must count: see `Rounds.run`. */
  readonly wanted: number;
  readonly start: (delayMs: number) => Promise<Server>;
  /** True once the program that shuts down gets no new deliveries. */
  readonly isNoticed: (program: Program) => boolean;
}

/** Many times the balancer's interval, because the machine is shared. */
const FIRST_DELAY_MS = 1_000;
/** The part of the delay in which new deliveries must stop; the rest is for deliveries on their way. */
const NOTICED_WITHIN = 1 / 2;
/** The test's process is sender and balancer: its event loop must not have been blocked for longer than this part of the delay. */
const STALLED_FOR = 1 / 4;
const NS_PER_MS = 1_000_000;

/** Two programs that are ended with SIGTERM and replaced in turn. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #running: Server[] = [];
  #delayMs = FIRST_DELAY_MS;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    for (let n = 0; n < 2; n += 1) this.#running.push(await this.#options.start(this.#delayMs));
  }

  /**
   * Runs rounds until `wanted` have counted, and resolves with the refused deliveries of those, by sender. A round in which the machine was too slow
   * for the delay does not count, whatever its result, because it shows nothing about a deploy; the next ones have twice the delay.
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
    const server = this.#running.shift();
    if (server === undefined) throw new Error('nothing runs');
    const { program, delayMs } = server;
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
    const slow = `noticed after ${Math.round(noticedMs)} ms, event loop blocked for ${Math.round(stalledMs)} ms`;
    process.stdout.write(`not counted: a shutdown delay of ${delayMs} ms is too short for this machine (${slow})\n`);
    this.#delayMs = Math.max(this.#delayMs, 2 * delayMs);
    return false;
  }
}
