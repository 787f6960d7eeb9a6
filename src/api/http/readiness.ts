import { type Clock, systemClock } from '../../contracts/clock.ts';

/** What a process needs in order to be useful, and what it merely uses. */
export interface ReadinessSpec {
  /** Known in this process: null while all is well, else why not, in one word. */
  readonly own: Readonly<Record<string, () => string | null>>;
  /** Asked over the network. Resolves while all is well, whatever the answer; rejects otherwise. */
  readonly remote: Readonly<Record<string, () => Promise<unknown>>>;
  /** Names of parts. The process is ready while in each of these groups at least one part is well; a part in no group is shown only. */
  readonly needs: readonly (readonly string[])[];
}

export interface ReadinessAnswer {
  /** `degraded`: ready, though not all is well. */
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly parts: Readonly<Record<string, 'ok' | 'unreachable' | 'not_ok'>>;
  /** Why a part is not well: a code or the name of an error, never its text. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** The part of pino's logger that is used here. */
export interface ReadinessLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A remote part is asked once in this time at most, in milliseconds, however many probes ask. */
const FRESH_MS = 1_000;
/** A part that has not answered by then does not answer, in milliseconds. */
const CHECK_MS = 2_000;
/** A probe waits this long for a part, in milliseconds, and is then told what was known before: Kubernetes' own limit is 1 s. */
const PATIENCE_MS = 700;

/** Whether this process can do what it is there for. Each part that stops or begins to answer is logged once. */
export class Readiness {
  readonly #spec: ReadinessSpec;
  readonly #remote: readonly RemotePart[];

  constructor(spec: ReadinessSpec, log: ReadinessLog, clock: Clock = systemClock) {
    this.#spec = spec;
    this.#remote = Object.entries(spec.remote).map(([name, check]) => new RemotePart(name, check, log, clock));
  }

  /** Answers within PATIENCE_MS. Never rejects. */
  async look(): Promise<ReadinessAnswer> {
    const asked = await Promise.all(
      this.#remote.map(async (part) => ({
        name: part.name,
        trouble: await part.trouble(),
        word: 'unreachable' as const,
      })),
    );
    // After the waiting: what is known here is known as of now.
    const own = Object.entries(this.#spec.own).map(([name, trouble]) => ({
      name,
      trouble: trouble(),
      word: 'not_ok' as const,
    }));
    const all = [...asked, ...own];
    const troubled = all.filter(({ trouble }) => trouble !== null);
    const well = new Set(all.filter(({ trouble }) => trouble === null).map(({ name }) => name));
    const isReady = this.#spec.needs.every((group) => group.some((name) => well.has(name)));
    return {
      status: !isReady ? 'not_ready' : troubled.length > 0 ? 'degraded' : 'ready',
      parts: Object.fromEntries(all.map(({ name, trouble, word }) => [name, trouble === null ? 'ok' : word])),
      reasons: Object.fromEntries(troubled.map(({ name, trouble }) => [name, trouble ?? ''])),
    };
  }
}

/** One part that is asked over the network. */
class RemotePart {
  readonly name: string;
  readonly #check: () => Promise<unknown>;
  readonly #log: ReadinessLog;
  readonly #clock: Clock;
  /** Null: well. Undefined: not known yet. */
  #trouble: string | null | undefined;
  #asking: Promise<void> | null = null;
  #knownAt = Number.NEGATIVE_INFINITY;

  constructor(name: string, check: () => Promise<unknown>, log: ReadinessLog, clock: Clock) {
    this.name = name;
    this.#check = check;
    this.#log = log;
    this.#clock = clock;
  }

  async trouble(): Promise<string | null> {
    if (this.#asking === null && this.#clock.now() - this.#knownAt >= FRESH_MS) this.#ask();
    if (this.#asking !== null) await this.#within(PATIENCE_MS, this.#asking);
    return this.#trouble === undefined ? NO_ANSWER : this.#trouble;
  }

  #ask(): void {
    const answer: Promise<string | null> = this.#answer();
    const asking: Promise<void> = this.#within(CHECK_MS, answer).then((found) => {
      this.#asking = null;
      this.#knownAt = this.#clock.now();
      this.#know(found === undefined ? NO_ANSWER : found);
      // An error that comes later says more than that none came in time.
      if (found === undefined)
        void answer.then((late) => {
          if (late !== null && this.#trouble === NO_ANSWER) this.#know(late);
        });
    });
    this.#asking = asking;
  }

  async #answer(): Promise<string | null> {
    try {
      await this.#check();
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  #know(trouble: string | null): void {
    const before = this.#trouble;
    this.#trouble = trouble;
    if (trouble === before) return;
    const part = this.name;
    if (trouble !== null) {
      this.#log.warn({ event: 'readiness.part_out', part, reason: trouble }, `${part}: does not answer (${trouble})`);
    } else if (before !== undefined) this.#log.info({ event: 'readiness.part_back', part }, `${part}: answers again`);
  }

  /** Undefined when `ms` are over first. */
  async #within<T>(ms: number, asked: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = this.#clock.setTimeout(() => late.resolve(undefined), ms);
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}

const NO_ANSWER = 'no_answer';
const SHOWABLE = /^[\w.-]{1,60}$/;

/** The code or the name of an error: neither quotes what was sent. A number is gRPC's status code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `grpc_${code}`;
  const word = typeof code === 'string' ? code : error.name;
  return SHOWABLE.test(word) ? word : 'unknown';
}
