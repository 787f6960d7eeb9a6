import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Problem } from './problems.ts';
import type { KnownBefore, Projection } from './projection.ts';
import type { TenantId } from './tenant.ts';

/** The name under which Temporal knows the workflow. It is in stored histories, so it stays. */
export const EXTRACTION_WORKFLOW = 'extraction';

/** Who asks, and why. Both are shown to operators; either may be missing when a person types a signal into Temporal UI. */
export interface Request {
  readonly by: string;
  readonly reason: string;
}

// Signals say what should be. Twice the same changes nothing.
/** `at`: ISO time at which it was asked for, which a reset that repeats the signal would not know. */
export const pauseSignal = defineSignal<[(Partial<Request> & { readonly at?: string })?]>('pause');
export const resumeSignal = defineSignal<[Partial<Request>?]>('resume');
/** An event arrived for a parked tenant, or somebody wants a look at the queue now. */
export const wakeSignal = defineSignal('wake');
/** Other credentials were verified, or the same ones work again. */
export const credentialsChangedSignal = defineSignal('credentialsChanged');
/** While paused: take events out of SQS into the ledger, so that none expires, and ask nothing of Gladly. */
export const archiveSignal = defineSignal('archive');
/** Events that wait are about to expire, or not any more (null). */
export const warnSignal = defineSignal<[Problem | null]>('warn');
/** From now on keep to these times. The sweep sends them when the settings were changed. */
export const tuneExtractionSignal = defineSignal<[ExtractionTuning]>('tune');
/** Begin a new history as soon as nothing is in hand: what the old one is encrypted under is not needed any more then. */
export const renewSignal = defineSignal('renew');
/** The tenant is disconnected: finish what is in hand and end. */
export const disconnectSignal = defineSignal<[Partial<Request>?]>('disconnect');

export const extractionStatusQuery = defineQuery<ExtractionStatus>('status');

/**
 * `running`: a drain is at work. `parked`: nothing waits, and it holds nothing. `pausing`: the drain is finishing what it holds.
 * `paused`: nothing is in flight. `waiting_for_gladly`: Gladly does not answer; retried. `needs_attention`: only a
 * person can resolve it. `disconnected`: ended.
 */
export type ExtractionPhase =
  | 'running'
  | 'parked'
  | 'pausing'
  | 'paused'
  | 'waiting_for_gladly'
  | 'needs_attention'
  | 'disconnected';

/** How many events went which way since the tenant was connected. */
export interface ExtractionTotals {
  readonly takenIn: number;
  readonly extracted: number;
  readonly gone: number;
  readonly rejected: number;
  readonly calls: number;
}

export interface ExtractionStatus {
  readonly phase: ExtractionPhase;
  /** ISO time at which this phase began. */
  readonly since: string;
  /** Who stopped it, when and why; null while it is not paused. */
  readonly pause: Stamped | null;
  /** What stands in the way, or what Gladly's trouble is. */
  readonly problem: Problem | null;
  /** Events that wait are about to expire. */
  readonly warning: Problem | null;
  readonly totals: ExtractionTotals;
  readonly drains: number;
  /** Count of signals that were ignored: of an unknown name, so that a rename is noticed, or with an input that cannot be read. */
  readonly unknownSignals: number;
  /** The last one's name, and why where it is not the name. */
  readonly lastUnknownSignal: string | null;
}

/** The same phase in a person's words: parking and waking are not seen. */
export type ShownPhase = Exclude<ExtractionPhase, 'parked'>;

/** What a person is told of an extraction. Its workflow writes it to the store whenever it changes. */
export interface ExtractionView {
  readonly phase: ShownPhase;
  /** ISO time since when a person would say so. */
  readonly since: string;
  readonly pause: Stamped | null;
  /** Who asked for the end of it, when and why. */
  readonly disconnect: Stamped | null;
  readonly problem: Problem | null;
  readonly warning: Problem | null;
  /** ISO time at which it tries again by itself what a problem keeps from it; null while nothing does. */
  readonly nextTryAt: string | null;
  readonly unknownSignals: number;
  readonly lastUnknownSignal: string | null;
}

/** What an extraction needs to know. Times in milliseconds, so that tests can make days into moments. */
export interface ExtractionTuning {
  /** A parked tenant is checked this often even without a wake signal. */
  readonly parkedLookMs: number;
  /** First and longest wait for a Gladly that does not answer. */
  readonly gladlyWaitMs: number;
  readonly gladlyWaitMaxMs: number;
  /** A problem that a person must resolve is checked again this often. */
  readonly attentionLookMs: number;
  /** History events after which the workflow continues as new; Temporal suggests 4,096. */
  readonly continueAsNewAfter: number;
  /** Where the console shows tenants, for a link; an extraction that was started before there was one has none. */
  readonly consoleUrl?: string;
}

export interface ExtractionInput {
  readonly version: 1;
  readonly tenantId: TenantId;
  readonly tuning: ExtractionTuning;
  /** Where the run before left off. Absent at the very start. */
  readonly carried?: CarriedExtraction;
  /** Start in this state; used at the very start only. `at`: ISO time since when it is paused; absent: now. */
  readonly pause?: Request & { readonly at?: string };
  /** What the run before knew of `DrainResult.waiting`. */
  readonly waiting?: number;
}

/** Who asked, why and when (ISO time). */
export type Stamped = Request & { readonly at: string };

/** All that an extraction knows between drains, and what continue-as-new carries: plain JSON, since a Map, a Date or an
 * undefined would not arrive as it left. */
export interface CarriedExtraction {
  readonly version: 1;
  readonly phase: ExtractionPhase;
  readonly since: string;
  readonly pause: Stamped | null;
  readonly disconnect: Stamped | null;
  readonly problem: Problem | null;
  readonly warning: Problem | null;
  /** Drains in a row that Gladly's trouble ended. */
  readonly gladlyFailures: number;
  /** An event may wait. */
  readonly awake: boolean;
  /** Look now, even if a problem is in the way. */
  readonly look: boolean;
  readonly archive: boolean;
  /** How soon a parked tenant is to be looked at, if sooner than usual. */
  readonly lookAgainMs: number | null;
  readonly totals: ExtractionTotals;
  readonly drains: number;
  readonly unknownSignals: number;
  readonly lastUnknownSignal: string | null;
}

/** `take_in_only` empties the queue into the ledger and asks nothing of Gladly. */
export type DrainMode = 'full' | 'take_in_only';

export interface DrainInput {
  readonly tenantId: TenantId;
  readonly mode: DrainMode;
  /** Gladly was in trouble: end as soon as one reading has worked, so that the status says so at once. */
  readonly probe: boolean;
}

/** Why a drain ended. */
export type DrainEnd =
  /** Nothing was found for a while, the tenant is marked parked, and a last look found nothing either. Something that the
   * ledger holds may be due later: then it says when to look again. */
  | { readonly kind: 'parked'; readonly lookAgainMs: number | null }
  /** Its time is over, or another worker is to have it. */
  | { readonly kind: 'budget_spent' }
  /** It was asked to stop, and has finished or handed back all that it held. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'waiting_for_gladly'; readonly problem: Problem }
  | { readonly kind: 'needs_attention'; readonly problem: Problem };

export interface DrainResult {
  readonly end: DrainEnd;
  readonly counts: ExtractionTotals;
  /** Events that wait in the ledger at its end, to be shown; absent when they could not be counted, and in older histories. */
  readonly waiting?: number;
}

/** What the extraction workflow asks of the world. */
export interface ExtractionActivities {
  /**
   * Empties the tenant's queue into the ledger and extracts what the ledger holds, until nothing has come for a while or its time is
   * over. Heartbeats; obeys cancellation, and `orderStop`, by finishing what it holds. Throws only for trouble of our own (Postgres, SQS), which
   * Temporal retries without end.
   */
  drain(input: DrainInput): Promise<DrainResult>;
  /**
   * Tells the tenant's drain to stop, through Postgres: a cancellation travels with its heartbeats where the server has no commands for workers. Run as a
   * local activity. Of a drain that has ended it is void.
   */
  orderStop(tenantId: TenantId): Promise<void>;
  /**
   * Writes what a person is told of the extraction. Run as a local activity: it takes milliseconds and no slot of a drain. Answers what an earlier
   * run had written when this one writes for the first time.
   */
  recordExtraction(projection: Projection<ExtractionView>): Promise<KnownBefore<ExtractionView>>;
}
