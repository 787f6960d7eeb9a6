import type { DrainEnd, DrainInput } from '../../contracts/extraction.ts';
import type { Problem } from '../../contracts/problems.ts';
import type { NewEvent } from '../../store/ledger/take-in.ts';
import { isOfTheQueue } from '../../tenants/finding-kinds.ts';
import { queueProblem } from '../../tenants/queue-problem.ts';
import type { Awake, AwakeDrain } from './awake.ts';
import type { Extract } from './extract.ts';
import type { Intake } from './intake.ts';
import { type DrainLimits, HIDDEN_LOOK_MS, QUEUE_GONE_MS, QUEUE_RETRY_MS, QUEUE_TROUBLE_MS } from './limits.ts';
import { type KnownPace, Pace } from './pace.ts';

export interface DrainRunDeps {
  readonly input: DrainInput;
  readonly limits: DrainLimits;
  readonly awake: Pick<Awake, 'crowded'>;
  /** Told to stop from outside: readings under way are given up. */
  readonly cancelled: AbortSignal;
  readonly intake: Intake<NewEvent>;
  /** Null when Gladly is not to be asked, or cannot be. */
  readonly extract: Extract | null;
  /** Why it cannot be. */
  readonly missing: Problem | null;
  readonly pace: KnownPace;
}

/** What it asks when it has ended, to say why. */
export interface DrainQuestions {
  readonly mark: (pace: KnownPace) => Promise<void>;
  /** Null when Gladly answers as it should. */
  readonly ping: () => Promise<DrainEnd | null>;
  /** Messages that are hidden in the queue; null when SQS does not say. */
  readonly hidden: () => Promise<number | null>;
  readonly nextDueMs: () => Promise<number | null>;
}

/** A queue in which nothing was found for this long is empty. */
const QUEUE_IS_EMPTY_MS = 1_500;

/** Intake and extract side by side, and when to end them. */
export class DrainRun implements AwakeDrain {
  readonly tenantId: string;
  readonly #deps: DrainRunDeps;
  readonly #stopped = new AbortController();
  readonly #enough = new AbortController();
  readonly #pace: Pace;
  readonly #began = performance.now();
  /** Drains that began together shall not all end together. */
  readonly #part = 0.75 + Math.random() / 4;
  #moves = false;
  #failure: unknown;

  constructor(deps: DrainRunDeps) {
    this.tenantId = deps.input.tenantId;
    this.#deps = deps;
    this.#pace = new Pace(deps.limits.parkAfterMs, deps.pace, this.#began);
    deps.intake.onFound(() => this.#pace.found(performance.now()));
  }

  idleMs(): number {
    const { intake, extract } = this.#deps;
    const reading = extract?.obstacle ? null : extract;
    return Math.min(intake.idleMs, reading?.idleMs ?? Number.POSITIVE_INFINITY);
  }

  tick(): void {
    const { limits, awake } = this.#deps;
    if (this.idleMs() >= this.#patienceMs() || this.#hasProbed()) this.#enough.abort();
    const budgetMs = this.#part * (awake.crowded ? limits.crowdedBudgetMs : limits.budgetMs);
    if (performance.now() - this.#began >= budgetMs) this.moveOn();
  }

  look(): void {
    this.#deps.extract?.nudge();
  }

  park(): void {
    this.#enough.abort();
  }

  moveOn(): void {
    if (this.#enough.signal.aborted) return;
    this.#moves = true;
    this.#enough.abort();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async untilEnded(): Promise<void> {
    const { intake, extract, cancelled } = this.#deps;
    const failed = new AbortController();
    const stop = AbortSignal.any([cancelled, this.#stopped.signal, failed.signal]);
    intake.onTaken(() => extract?.nudge());
    const parts = [
      intake.run(AbortSignal.any([stop, this.#enough.signal])),
      extract?.run(stop, this.#enough.signal) ?? Promise.resolve(),
    ];
    // When one fails the other is told to finish; both are over before the failure is passed on.
    await Promise.all(parts.map((running) => running.catch((error: unknown) => this.#failed(error, failed))));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Somebody who knows wants it to end: its workflow, by either way. */
  get isStopped(): boolean {
    return this.#deps.cancelled.aborted || this.#stopped.signal.aborted;
  }

  #failed(error: unknown, failed: AbortController): void {
    this.#failure ??= error;
    failed.abort();
  }

  /** With nothing to do for so long it ends: soon when Gladly cannot be read, or the queue. */
  #patienceMs(): number {
    const { extract, intake, limits } = this.#deps;
    const short = Math.min(limits.parkAfterMs, QUEUE_IS_EMPTY_MS);
    if (extract === null || extract.obstacle) return short;
    if (intake.trouble !== undefined) return Math.min(limits.parkAfterMs, QUEUE_TROUBLE_MS);
    return this.#deps.input.probe ? short : this.#pace.patienceMs;
  }

  #hasProbed(): boolean {
    return this.#deps.input.probe && (this.#deps.extract?.worked ?? 0) > 0;
  }

  /** Why it ended. Parks when there is nothing left, and looks once more after that. */
  async verdict(ask: DrainQuestions): Promise<DrainEnd> {
    const { extract, missing, input, intake } = this.#deps;
    if (extract?.obstacle) return extract.obstacle;
    if (missing) return { kind: 'needs_attention', problem: missing };
    if (this.isStopped) return { kind: 'stopped' };
    if (this.#moves || this.#hasProbed()) return { kind: 'budget_spent' };
    if (input.probe) {
      // Nothing waited, so nothing has shown yet whether the problem is over.
      const found = await ask.ping();
      if (found) return found;
    }
    const pace = this.#pace.known(performance.now());
    const { trouble } = intake;
    if (trouble !== undefined) {
      if (!isOfTheQueue(queueProblem(trouble).problem)) return { kind: 'parked', lookAgainMs: QUEUE_RETRY_MS };
      // Until somebody acts deliveries go into the ledger: marked as parked, each of them wakes us.
      await ask.mark(pace);
      const nextMs = extract ? await ask.nextDueMs() : null;
      return { kind: 'parked', lookAgainMs: Math.min(nextMs ?? QUEUE_GONE_MS, QUEUE_GONE_MS) };
    }
    const parked = await park(
      () => ask.mark(pace),
      () => intake.look(this.#deps.cancelled),
    );
    if (!parked) return { kind: 'budget_spent' };
    if (this.isStopped) return { kind: 'stopped' };
    // Messages received by a process that died stay hidden until their visibility timeout; no wake signal follows when they reappear.
    const hidden = await ask.hidden();
    const hiddenMs = hidden === null ? QUEUE_GONE_MS : hidden > 0 ? HIDDEN_LOOK_MS : null;
    const dueMs = extract ? await ask.nextDueMs() : null;
    const looks = [hiddenMs, dueMs].filter((ms) => ms !== null);
    return { kind: 'parked', lookAgainMs: looks.length === 0 ? null : Math.min(...looks) };
  }
}

/**
 * Parks a tenant unless something has come meanwhile; true when it is parked. Marked first, looked after: an event that came before the mark
 * is found by the look, and an event after the mark sends the wake signal (src/api/ingest/waker.ts).
 */
export async function park(mark: () => Promise<void>, look: () => Promise<boolean>): Promise<boolean> {
  await mark();
  return !(await look());
}
