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
import { beginDrain, leftByDrains, markParked } from '../../store/drains.ts';
import { eventCounts } from '../../store/ledger/counters.ts';
import { getTenant, type Tenant } from '../../store/tenants.ts';
import type { Logger } from '../../telemetry/log.ts';
import { recordQueue } from '../../tenants/findings.ts';
import { recordProgress } from '../../tenants/progress.ts';
import { logFindings } from '../log-findings.ts';
import type { Awake } from './awake.ts';
import { DrainRun } from './drain-run.ts';
import { Extract, obstacleOf, readingsAtOnce } from './extract.ts';
import { GladlyAtLarge } from './gladly-at-large.ts';
import { Intake } from './intake.ts';
import { extractDeps, intakeDeps } from './ledger.ts';
import { type DrainLimits, HEARTBEAT_MS, LONGEST_HOLD_MS, PROGRESS_MS } from './limits.ts';
import { type Notes, Observer } from './observer.ts';
import { References } from './references.ts';
import type { Room } from './room.ts';

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
  /** The drains of this worker, and what is written of them. */
  readonly awake: Awake;
  readonly notes: Notes;
  /** Name of the worker process (table `workers`). */
  readonly worker: string;
  /** For what was received or read and is not written yet. */
  readonly room: Room;
  readonly log: Logger;
}

/** The activity at the heart of extraction: see ExtractionActivities. */
export function createDrain(deps: DrainDeps): ExtractionActivities['drain'] {
  return async (input) => {
    const context = Context.current();
    const heartbeat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
    try {
      return await runDrain(deps, input, context.cancellationSignal);
    } finally {
      clearInterval(heartbeat);
    }
  };
}

const NO_COUNTS: ExtractionTotals = { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 };

/** `cancelled`: finish what is in hand and end. */
export async function runDrain(deps: DrainDeps, input: DrainInput, cancelled: AbortSignal): Promise<DrainResult> {
  const { db, receiver, limits, notes } = deps;
  const { tenantId } = input;
  if (cancelled.aborted) return { end: { kind: 'stopped' }, counts: NO_COUNTS };
  const tenant = await getTenant(db, tenantId);
  if (!tenant || tenant.queueUrl === null) {
    return { end: { kind: 'needs_attention', problem: problem('queue_missing') }, counts: NO_COUNTS };
  }
  const fence = await beginDrain(db, tenantId, deps.worker);
  const [left, begunAt] = [await leftByDrains(db, tenantId), performance.now()];
  const troubled = (): number => (left.troubledForMs === null ? 0 : left.troubledForMs + performance.now() - begunAt);
  const fenced = { db, tenantId, fence };
  const gladly = input.mode === 'full' ? await deps.gladlyOf(tenantId) : null;
  const missing = gladly && 'problem' in gladly ? gladly.problem : null;
  const calls = { made: 0 };
  const client = gladly && 'client' in gladly ? counted(gladly.client, calls) : null;
  const quota = () => (gladly && 'client' in gladly ? gladly.governor.snapshot('GET') : null);
  let pinged = false;
  const observer = new Observer(fenced, () => {
    const problemCode = extract?.obstacle?.problem.code ?? missing?.code ?? null;
    return {
      queueEmptyAt: intake.emptyAt,
      problemCode: problemCode ?? (pinged || (extract?.worked ?? 0) > 0 ? 'none' : 'unknown'),
      quota: quota(),
    };
  });
  const intake = new Intake(
    intakeDeps(fenced, receiver, tenant.queueUrl, limits.receiveWaitSeconds, (what) => observer.sawDrift(what)),
    deps.room,
  );
  const references = client && new References(db, tenantId, client);
  const extract: Extract | null =
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

  const run = new DrainRun({ input, limits, awake: deps.awake, cancelled, intake, extract, missing, pace: left });
  notes.add(observer);
  const leave = deps.awake.enter(run);
  const side = new AbortController();
  const progress = extract && new Progress(deps, tenantId, extract, quota);
  const noting = setInterval(() => void progress?.note(observer.waiting), PROGRESS_MS);
  const listing = input.probe ? undefined : references?.run(side.signal);
  // Awaited when the rest is over; what it throws is thrown then.
  listing?.catch(() => undefined);
  try {
    await run.untilEnded();
  } finally {
    leave();
    clearInterval(noting);
    side.abort();
    await notes.writeLast(observer);
    // Also when it failed: then nobody else would tell. A stop is no news of its own.
    if (!run.isStopped) await progress?.note(null);
  }
  await listing;
  await noteQueue(deps, tenantId, intake.trouble);
  const end = await run.verdict({
    mark: (pace) => markParked(db, tenantId, fence, pace),
    ping: async () => {
      if (!client) return null;
      const trouble = await new GladlyAtLarge(client, extractDeps(fenced, limits)).organization('', cancelled);
      if (trouble !== null) return endOf(trouble.error, troubled());
      pinged = true;
      await notes.writeNow(observer);
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

/** A queue that is missing or refused is told at once, not at the next sweep. The sweep withdraws it. */
async function noteQueue({ db, log }: DrainDeps, tenantId: string, trouble: unknown): Promise<void> {
  if (trouble === undefined) return;
  logFindings(log, tenantId, await recordQueue(db, tenantId, trouble));
}

/** Tells whether the events of a drain go on, while it lasts and at its end. */
class Progress {
  readonly #deps: Pick<DrainDeps, 'db' | 'log'>;
  readonly #tenantId: string;
  readonly #extract: Extract;
  readonly #quota: () => QuotaSnapshot | null;
  /** Something stands that was found; until it was looked at once, it may. */
  #stands = true;

  constructor(
    deps: Pick<DrainDeps, 'db' | 'log'>,
    tenantId: string,
    extract: Extract,
    quota: () => QuotaSnapshot | null,
  ) {
    this.#deps = deps;
    this.#tenantId = tenantId;
    this.#extract = extract;
    this.#quota = quota;
  }

  /** `waiting`: events in the ledger, null when it is not known. Never throws: what could not be told now is told next time. */
  async note(waiting: number | null): Promise<void> {
    if (waiting === 0 && !this.#stands) return;
    const { db, log } = this.#deps;
    const { obstacle, starved } = this.#extract;
    // Since it was looked at last: a drain may last for an hour.
    this.#extract.starved = false;
    const quota = this.#quota();
    // Others take half of what there is, or more.
    const isCrowded = quota?.limit != null && quota.rivals * 2 >= quota.limit;
    const isHeld = quota !== null && quota.heldMs > LONGEST_HOLD_MS;
    const how = { isRunning: obstacle === undefined, starved: starved || isCrowded || isHeld, now: new Date() };
    try {
      const { change, found } = await recordProgress(db, this.#tenantId, how);
      this.#stands = found > 0;
      logFindings(log, this.#tenantId, change);
    } catch (error) {
      log.warn(
        { event: 'drain.progress_not_noted', err: error, tenantId: this.#tenantId },
        'drain: progress could not be noted',
      );
    }
  }
}

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
