import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { PartMessage } from '../src/roles/parent.ts';
import type { LogFile } from './log-file.ts';
import { signal } from './processes.ts';
import type { RunFolder } from './run-folder.ts';

/** What the supervisor has to know of a part to run it. */
export interface PartSpec {
  readonly name: string;
  /** A Node program and its arguments; asked again at each start. */
  readonly command: () => readonly string[];
  readonly env: () => Readonly<Record<string, string>>;
  /** Undefined: the part says itself when it is ready. Otherwise asked every 50 ms; true when it is ready. */
  readonly isReady?: () => Promise<boolean>;
  /** How long it may take to stop by itself, in milliseconds; SIGKILL comes then. */
  readonly stopMs: number;
  /** Names of processes that its own process starts, and may leave behind. */
  readonly offspring?: readonly string[];
}

export interface PartEvents {
  /** A line that the part has written. */
  line(part: string, text: string, stream: 'stdout' | 'stderr'): void;
  /** The part has started, become ready, or ended. */
  changed(): void;
  /** The part ended without being told to, and starts again in `delayMs`. */
  restarting(part: string, how: string, delayMs: number): void;
  /** The part cannot be had: it will not be started again. */
  failed(error: PartFailedError): void;
}

/** Starting again would fail in the same way. */
export class PartFailedError extends Error {
  override readonly name = 'PartFailedError';
}

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** A part that ran for this long had started well: the next failure is a new one. */
const STEADY_MS = 10_000;
/** So many failures before the first success are not an accident. Killed is not failed. */
const HOPELESS_STARTS = 5;
/** A process that ended may have left words in its pipe; one of its own children may hold that pipe open for ever. */
const LAST_WORDS_MS = 100;
const READY_POLL_MS = 50;
const LAST_WORDS = 12;

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), port: z.number().exactOptional() }),
  z.object({ type: z.literal('unhealable'), message: z.string() }),
]) satisfies z.ZodType<PartMessage>;

/** One child process, started again whenever it ends, until it is stopped. */
export class Part {
  readonly name: string;
  readonly #spec: PartSpec;
  readonly #run: RunFolder;
  readonly #log: LogFile;
  readonly #events: PartEvents;
  readonly #ready = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stopping = new AbortController();
  #wasReady = false;
  #failures = 0;
  #lastWords: string[] = [];
  restarts = 0;
  /** The port that the part has told; undefined when it tells none. */
  port: number | undefined;

  constructor(spec: PartSpec, run: RunFolder, log: LogFile, events: PartEvents) {
    this.name = spec.name;
    this.#spec = spec;
    this.#run = run;
    this.#log = log;
    this.#events = events;
    // Whoever starts the part hears of it; a rejection that comes while nobody waits is no error of its own.
    this.#ready.promise.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it, and keeps it going. Resolves at the first readiness; rejects with PartFailedError when it is hopeless. */
  start(): Promise<void> {
    this.#ended = this.#keepGoing();
    return this.#ready.promise;
  }

  /** SIGTERM, then SIGKILL when it takes too long; resolves when the part and its offspring are gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.pid !== undefined) signal(this.pid, 'SIGTERM');
    const late = setTimeout(() => this.kill(), this.#spec.stopMs);
    await this.#ended;
    clearTimeout(late);
    this.#log.close();
  }

  /** SIGKILL, now. */
  kill(): void {
    this.#stopping.abort();
    if (this.#child?.pid !== undefined) signal(this.#child.pid, 'SIGKILL');
  }

  async #keepGoing(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        const startedAt = performance.now();
        const { how, killed } = await this.#runOnce();
        await this.#endOffspring();
        if (this.#stopping.signal.aborted) return;
        const steady = performance.now() - startedAt > STEADY_MS;
        this.#wasReady ||= steady || killed;
        this.#failures = steady ? 1 : this.#failures + 1;
        if (!this.#wasReady && this.#failures >= HOPELESS_STARTS) throw new PartFailedError(this.#obituary(how));
        const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), MAX_BACKOFF_MS);
        this.restarts += 1;
        this.#events.restarting(this.name, how, backoff);
        await delay(backoff, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    } catch (error) {
      const failure = error instanceof PartFailedError ? error : new PartFailedError(`${this.name}: ${String(error)}`);
      this.#ready.reject(failure);
      this.#events.failed(failure);
    }
  }

  /** Resolves with how it ended; rejects with PartFailedError when the part says that it will not heal. */
  #runOnce(): Promise<{ how: string; killed: boolean }> {
    const child = spawn(process.execPath, [...this.#spec.command()], {
      env: { ...process.env, ...this.#spec.env() },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C reaches the supervisor alone, which then stops the parts in order.
      detached: true,
    });
    this.#child = child;
    if (child.pid !== undefined) this.#run.note(this.name, child.pid);
    this.#events.changed();
    const gone = new AbortController();
    return new Promise<{ how: string; killed: boolean }>((resolve, reject) => {
      child.on('message', (raw) => {
        const said = message.safeParse(raw).data;
        if (said?.type === 'ready') {
          this.port = said.port ?? this.port;
          if (this.#spec.isReady === undefined) this.#becomeReady();
        }
        if (said?.type === 'unhealable') reject(new PartFailedError(said.message));
      });
      this.#listen(child, 'stdout');
      this.#listen(child, 'stderr');
      child.once('error', (error) => resolve({ how: `cannot start: ${error.message}`, killed: false }));
      child.once('exit', (code, name) => {
        const ended = name === null ? { how: `exit code ${code}`, killed: false } : { how: name, killed: true };
        setTimeout(resolve, LAST_WORDS_MS, ended);
        child.once('close', () => resolve(ended));
      });
      void this.#pollReady(gone.signal);
    }).finally(() => {
      gone.abort();
      this.#child = undefined;
      this.#run.forget(this.name);
      this.#events.changed();
    });
  }

  async #pollReady(gone: AbortSignal): Promise<void> {
    while (this.#spec.isReady !== undefined && !gone.aborted) {
      if (await this.#spec.isReady().catch(() => false)) {
        if (!gone.aborted) this.#becomeReady();
        return;
      }
      await delay(READY_POLL_MS);
    }
  }

  #becomeReady(): void {
    this.#wasReady = true;
    this.#ready.resolve();
    this.#events.changed();
  }

  #listen(child: ChildProcess, stream: 'stdout' | 'stderr'): void {
    const source = child[stream];
    if (source === null) return;
    createInterface({ input: source, crlfDelay: Infinity }).on('line', (text) => {
      this.#log.write(`${text}\n`);
      this.#lastWords = [...this.#lastWords.slice(1 - LAST_WORDS), text];
      this.#events.line(this.name, text, stream);
    });
  }

  async #endOffspring(): Promise<void> {
    for (const name of this.#spec.offspring ?? []) await this.#run.end(name);
  }

  #obituary(how: string): string {
    return [
      `${this.name} does not start (${how}, ${this.#failures} times). Its last words, also in ${this.#log.path}:`,
      ...this.#lastWords.map((line) => `  ${line}`),
    ].join('\n');
  }
}
