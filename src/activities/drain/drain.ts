import { Context } from '@temporalio/activity';
import type {
  DrainEnd,
  DrainInput,
  DrainResult,
  ExtractionActivities,
  ExtractionTotals,
} from '../../contracts/extraction.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import type { GladlyError } from '../../gladly/errors.ts';
import type { Governor, QuotaSnapshot } from '../../gladly/quota.ts';
import type { Queues } from '../../queue/provision.ts';
import type { Receiver } from '../../queue/receiver.ts';
import type { Db } from '../../store/db.ts';
import { beginDrain, markParked, troubledForMs } from '../../store/drains.ts';
import { eventCounts } from '../../store/ledger/counters.ts';
import type { NewEvent } from '../../store/ledger/take-in.ts';
import { getTenant, type Tenant } from '../../store/tenants.ts';
import type { Logger } from '../../telemetry/log.ts';
import { isOfTheQueue } from '../../tenants/finding-kinds.ts';
import { recordQueue } from '../../tenants/findings.ts';
import { recordProgress } from '../../tenants/progress.ts';
import { queueProblem } from '../../tenants/queue-problem.ts';
import { logFindings } from '../log-findings.ts';
import { Extract, obstacleOf, readingsAtOnce } from './extract.ts';
import { GladlyAtLarge } from './gladly-at-large.ts';
import { Intake } from './intake.ts';
import { extractDeps, intakeDeps } from './ledger.ts';
import {
  type DrainLimits,
  HEARTBEAT_MS,
  HIDDEN_LOOK_MS,
  LONGEST_HOLD_MS,
  NOTE_MS,
  PROGRESS_MS,
  QUEUE_GONE_MS,
  QUEUE_RETRY_MS,
} from './limits.ts';
import { Observer, type Seen } from './observer.ts';
import { References } from './references.ts';
import type { Room } from './room.ts';
import type { Slots } from './slots.ts';

/** What a drain works with. */
export interface DrainDeps {
  readonly db: Db;
  readonly receiver: Receiver;
  readonly queues: Pick<Queues, 'depths'>;
  /** Gladly with the tenant's adopted credentials, and its quota; or the problem that keeps us from having it. */
  gladlyOf(
    tenantId: string,
  ): Promise<{ readonly client: GladlyClient; readonly governor: Governor } | { readonly problem: Problem }>;
  readonly limits: DrainLimits;
  readonly slots: Slots;
  /** For what was received or read and is not written yet. */
  readonly room: Room;
  readonly log: Logger;
}

/** The activity at the heart of extraction: see ExtractionActivities. */
export function createDrain(deps: DrainDeps): ExtractionActivities['drain'] {
  return async (input) => {
    const context = Context.current();
    const heartbeat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
    const leave = deps.slots.take();
    try {
      return await runDrain(deps, input, context.cancellationSignal);
    } finally {
      leave();
      clearInterval(heartbeat);
    }
  };
}

const NO_COUNTS: ExtractionTotals = { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 };

/** `cancelled`: finish what is in hand and end. */
export async function runDrain(deps: DrainDeps, input: DrainInput, cancelled: AbortSignal): Promise<DrainResult> {
  const { db, receiver, limits } = deps;
  const { tenantId } = input;
  if (cancelled.aborted) return { end: { kind: 'stopped' }, counts: NO_COUNTS };
  const tenant = await getTenant(db, tenantId);
  if (!tenant || tenant.queueUrl === null) {
    return { end: { kind: 'needs_attention', problem: problem('queue_missing') }, counts: NO_COUNTS };
  }
  const fence = await beginDrain(db, tenantId, Context.current().info.activityId);
  const [troubledMs, begunAt] = [await troubledForMs(db, tenantId), performance.now()];
  const troubled = (): number => (troubledMs === null ? 0 : troubledMs + performance.now() - begunAt);
  const fenced = { db, tenantId, fence };
  const observer = new Observer(fenced);
  const intake = new Intake(
    intakeDeps(fenced, receiver, tenant.queueUrl, (what) => observer.sawDrift(what)),
    deps.room,
  );
  const gladly = input.mode === 'full' ? await deps.gladlyOf(tenantId) : null;
  const calls = { made: 0 };
  const client = gladly && 'client' in gladly ? counted(gladly.client, calls) : null;
  const references = client && new References(db, tenantId, client);
  const extract =
    gladly && 'client' in gladly && client
      ? new Extract({
          ...extractDeps(fenced, limits),
          client,
          room: deps.room,
          troubledForMs: troubled,
          heldMs: () => gladly.governor.snapshot('GET').heldMs,
          readingsAtOnce: () => (input.probe ? 1 : readingsAtOnce(gladly.governor.snapshot('GET').allowed)),
          stored(batch) {
            const now = Date.now();
            for (const { result, due } of batch) {
              references?.saw(result);
              const extracted = new Set(result.extracted);
              const fresh = due.events.filter(({ eventId }) => extracted.has(eventId));
              const freshnessMs = fresh.map(({ receivedAt }) => Math.max(0, now - receivedAt.getTime()));
              observer.stored(extracted.size, freshnessMs, result.drift);
            }
          },
        })
      : null;
  const missing = gladly && 'problem' in gladly ? gladly.problem : null;

  let pinged = false;
  const quota = () => (gladly && 'client' in gladly ? gladly.governor.snapshot('GET') : null);
  const seen = (): Seen => {
    const problemCode = extract?.obstacle?.problem.code ?? missing?.code ?? null;
    return [intake.emptyAt, problemCode ?? (pinged || (extract?.worked ?? 0) > 0 ? 'none' : 'unknown'), quota()];
  };
  const noting = setInterval(() => void observer.write(...seen()), NOTE_MS);
  const watching = setInterval(() => {
    if (extract) void noteProgress(deps, tenantId, extract, quota());
  }, PROGRESS_MS);
  const side = new AbortController();
  const listing = input.probe ? undefined : references?.run(side.signal);
  // Awaited when the rest is over; what it throws is thrown then.
  listing?.catch(() => undefined);
  const run = new DrainRun(input, deps, cancelled, intake, extract, missing);
  try {
    await run.untilEnded();
  } finally {
    clearInterval(noting);
    clearInterval(watching);
    side.abort();
    await observer.writeLast(...seen());
    // Also when it failed: then nobody else would tell. A stop is no news of its own.
    if (extract && !cancelled.aborted) await noteProgress(deps, tenantId, extract, quota());
  }
  await listing;
  await noteQueue(deps, tenantId, intake.trouble);
  const end = await run.verdict({
    mark: () => markParked(db, tenantId, fence),
    ping: async () => {
      if (!client) return null;
      const trouble = await new GladlyAtLarge(client, extractDeps(fenced, limits)).organization('', cancelled);
      if (trouble !== null) return endOf(trouble.error, troubled());
      pinged = true;
      await observer.writeLast(...seen());
      return null;
    },
    hidden: () => hiddenIn(deps, tenant),
    nextDueMs: () => extractDeps(fenced, limits).nextDueMs(new Set()),
  });
  const counts = {
    takenIn: intake.takenIn,
    calls: calls.made,
    ...(extract?.counts ?? { extracted: 0, gone: 0, rejected: 0 }),
  };
  deps.log.debug({ event: 'drain.ended', tenantId, end: end.kind, ...counts }, 'drain: ended');
  // A number to be shown is not worth a failed drain.
  const waiting = await eventCounts(db, tenantId).then(
    (all) => all.waiting,
    () => null,
  );
  return { end, counts, ...(waiting === null ? {} : { waiting }) };
}

/** Intake and extract side by side, and when to end them. */
class DrainRun {
  readonly #input: DrainInput;
  readonly #limits: DrainLimits;
  readonly #slots: Slots;
  readonly #cancelled: AbortSignal;
  readonly #intake: Intake<NewEvent>;
  readonly #extract: Extract | null;
  readonly #missing: Problem | null;
  #budgetSpent = false;
  #failure: unknown;

  constructor(
    input: DrainInput,
    { limits, slots }: Pick<DrainDeps, 'limits' | 'slots'>,
    cancelled: AbortSignal,
    intake: Intake<NewEvent>,
    extract: Extract | null,
    missing: Problem | null,
  ) {
    this.#input = input;
    this.#limits = limits;
    this.#slots = slots;
    this.#cancelled = cancelled;
    this.#intake = intake;
    this.#extract = extract;
    this.#missing = missing;
  }

  async untilEnded(): Promise<void> {
    const failed = new AbortController();
    const stop = AbortSignal.any([this.#cancelled, failed.signal]);
    const enough = new AbortController();
    this.#intake.onTaken(() => this.#extract?.nudge());
    const began = performance.now();
    // Drains that began together shall not all end together.
    const part = 0.75 + Math.random() / 4;
    const watch = setInterval(() => {
      if (this.#isIdle() || this.#hasProbed()) enough.abort();
      const budgetMs = part * (this.#slots.crowded ? this.#limits.crowdedBudgetMs : this.#limits.budgetMs);
      if (performance.now() - began < budgetMs || enough.signal.aborted) return;
      this.#budgetSpent = true;
      enough.abort();
    }, WATCH_MS);
    const parts = [
      this.#intake.run(AbortSignal.any([stop, enough.signal])),
      this.#extract?.run(stop, enough.signal) ?? Promise.resolve(),
    ];
    try {
      // When one fails the other is told to finish; both are over before the failure is passed on.
      await Promise.all(parts.map((running) => running.catch((error: unknown) => this.#failed(error, failed))));
    } finally {
      clearInterval(watch);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #failed(error: unknown, failed: AbortController): void {
    this.#failure ??= error;
    failed.abort();
  }

  /** Nothing came and nothing was to be read for a while; a short one when Gladly cannot be read, or others wait for the slot. */
  #isIdle(): boolean {
    const reading = this.#extract?.obstacle ? null : this.#extract;
    const extractIdleMs = reading?.idleMs ?? Number.POSITIVE_INFINITY;
    const enough =
      reading && !this.#slots.crowded
        ? this.#limits.parkAfterMs
        : Math.min(this.#limits.parkAfterMs, QUEUE_IS_EMPTY_MS);
    return this.#intake.idleMs >= enough && extractIdleMs >= enough;
  }

  #hasProbed(): boolean {
    return this.#input.probe && (this.#extract?.worked ?? 0) > 0;
  }

  /** Why it ended. Parks when there is nothing left, and looks once more after that. */
  async verdict(ask: {
    readonly mark: () => Promise<void>;
    /** Null when Gladly answers as it should. */
    readonly ping: () => Promise<DrainEnd | null>;
    readonly hidden: () => Promise<number | null>;
    readonly nextDueMs: () => Promise<number | null>;
  }): Promise<DrainEnd> {
    const obstacle = this.#extract?.obstacle;
    if (obstacle) return obstacle;
    if (this.#missing) return { kind: 'needs_attention', problem: this.#missing };
    if (this.#cancelled.aborted) return { kind: 'stopped' };
    if (this.#budgetSpent || this.#hasProbed()) return { kind: 'budget_spent' };
    if (this.#input.probe) {
      // Nothing waited, so nothing has shown yet whether the problem is over.
      const found = await ask.ping();
      if (found) return found;
    }
    const { trouble } = this.#intake;
    if (trouble !== undefined) {
      if (!isOfTheQueue(queueProblem(trouble).problem)) return { kind: 'parked', lookAgainMs: QUEUE_RETRY_MS };
      // Until somebody acts deliveries go into the ledger: marked as parked, each of them wakes us.
      await ask.mark();
      const nextMs = this.#extract ? await ask.nextDueMs() : null;
      return { kind: 'parked', lookAgainMs: Math.min(nextMs ?? QUEUE_GONE_MS, QUEUE_GONE_MS) };
    }
    const parked = await park(ask.mark, () => this.#intake.look(this.#cancelled));
    if (!parked) return { kind: 'budget_spent' };
    if (this.#cancelled.aborted) return { kind: 'stopped' };
    // Messages received by a process that died stay hidden until their visibility timeout; no wake signal follows when they reappear.
    const hidden = await ask.hidden();
    const hiddenMs = hidden === null ? QUEUE_GONE_MS : hidden > 0 ? HIDDEN_LOOK_MS : null;
    const dueMs = this.#extract ? await ask.nextDueMs() : null;
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

/** A queue that is missing or refused is told at once, not at the next sweep. The sweep withdraws it. */
async function noteQueue({ db, log }: DrainDeps, tenantId: string, trouble: unknown): Promise<void> {
  if (trouble === undefined) return;
  logFindings(log, tenantId, await recordQueue(db, tenantId, trouble));
}

/** Never throws: what could not be told now is told by the next look, or drain. */
async function noteProgress(
  { db, log }: DrainDeps,
  tenantId: string,
  { obstacle, starved }: Extract,
  quota: QuotaSnapshot | null,
): Promise<void> {
  // Others take half of what there is, or more.
  const isCrowded = quota?.limit != null && quota.rivals * 2 >= quota.limit;
  const isHeld = quota !== null && quota.heldMs > LONGEST_HOLD_MS;
  const how = { isRunning: obstacle === undefined, starved: starved || isCrowded || isHeld, now: new Date() };
  try {
    logFindings(log, tenantId, await recordProgress(db, tenantId, how));
  } catch (error) {
    log.warn({ event: 'drain.progress_not_noted', err: error, tenantId }, 'drain: progress could not be noted');
  }
}

/** How often it is looked whether a drain is idle. */
const WATCH_MS = 100;

/** A queue in which nothing was found for this long is empty: a receive waits one second. */
const QUEUE_IS_EMPTY_MS = 1_500;

/** Messages that are hidden in the queue; null when SQS does not say. */
async function hiddenIn(deps: DrainDeps, { tenantId, queueUrl, deadLetterQueueUrl }: Tenant): Promise<number | null> {
  if (queueUrl === null || deadLetterQueueUrl === null) return 0;
  try {
    return (await deps.queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl })).queue.inFlight;
  } catch (error) {
    // The queue itself may be well, and its dead-letter queue not.
    await noteQueue(deps, tenantId, error);
    return null;
  }
}

function endOf(error: GladlyError, troubledForMs: number): DrainEnd {
  return error.kind === 'rate_limited' ? { kind: 'budget_spent' } : obstacleOf(error, troubledForMs);
}

/** Counts the calls that go to Gladly. */
function counted(client: GladlyClient, calls: { made: number }): GladlyClient {
  return new Proxy(client, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.made += 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
}
