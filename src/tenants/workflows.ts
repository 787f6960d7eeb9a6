import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { ProtoFailure } from '@temporalio/common';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { EXTRACTION_DETAILS, ONBOARDING_DETAILS } from '../contracts/descriptions.ts';
import {
  archiveSignal,
  credentialsChangedSignal,
  disconnectSignal,
  EXTRACTION_WORKFLOW,
  type ExtractionInput,
  type ExtractionTuning,
  pauseSignal,
  type Request,
  renewSignal,
  resumeSignal,
  tuneExtractionSignal,
  wakeSignal,
  warnSignal,
} from '../contracts/extraction.ts';
import {
  type CancelRequest,
  callOffSignal,
  cancelSignal,
  chooseWebhookSetupSignal,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingTunings,
  recheckSignal,
  replaceWebhookKeySignal,
  type SubmittedCredentials,
  submitCredentialsSignal,
  tuneOnboardingSignal,
  type WebhookSetup,
  webhookSeenSignal,
} from '../contracts/onboarding.ts';
import type { Problem } from '../contracts/problems.ts';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import {
  EXTRACTION_TASK_QUEUE,
  extractionWorkflowId,
  ONBOARDING_TASK_QUEUE,
  onboardingWorkflowId,
  type TenantId,
} from '../contracts/tenant.ts';
import { UNREADABLE_INPUT } from '../contracts/unreadable.ts';

/** How long a call may take. A Temporal that is well answers within milliseconds; what takes longer may still be done. */
const DEADLINE_MS = 3_000;

/** A workflow task that failed more often is not a moment's trouble: Temporal waits 10 s and longer between the tries by then. */
const TRIES = 2;
/** So long they take, in ms: whatever came since has not been worked on either. */
const LONGEST_TRIES_MS = 10_000;
/** Of `temporal.api.enums.v1.PendingActivityState`. */
const STARTED = 2;
/** An activity that failed more often is no moment's trouble either: some 15 s of tries. */
const ACTIVITY_TRIES = 4;
/** Characters of a reason that are shown and stored. */
const MOST_REASON = 300;
const NO_REASON = 'Temporal names no reason.';
/** gRPC's. */
const INVALID_ARGUMENT = 3;

/** Workflow ids of tenants' workflows, as Temporal lists them. */
export interface Survey {
  readonly open: ReadonlySet<string>;
  readonly reported: ReadonlySet<string>;
}

/** How one workflow is. `ended`: it does not run any more, or there is none. */
export type Examined =
  | { readonly state: 'well' }
  | { readonly state: 'ended'; readonly how: string }
  /** Somebody has paused it, or one of its activities, in Temporal itself. */
  | { readonly state: 'paused'; readonly what: 'workflow' | 'activity' }
  /** Its task, or the input of its activity, fails again and again. */
  | { readonly state: 'wedged'; readonly reason: string };

/**
 * The one client of a tenant's two workflows, by workflow id alone: lists of workflows lag behind. Every call is idempotent and ends within
 * 3 s. It throws WorkflowNotFoundError when there is no such workflow, but where said otherwise, and Temporal's own errors when it was refused or
 * not answered; then it may still be done.
 */
export class TenantWorkflows {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts the onboarding unless it runs already. */
  async startOnboarding(input: OnboardingInput): Promise<void> {
    const { tenantId } = input;
    const start = () =>
      this.#client.workflow.start(ONBOARDING_WORKFLOW, {
        workflowId: onboardingWorkflowId(tenantId),
        taskQueue: ONBOARDING_TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `Connects ${tenantId}`,
        staticDetails: ONBOARDING_DETAILS,
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.tenantId, value: tenantId }],
      });
    await this.#inTime(start).catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
  }

  /** Has stored credentials checked, whether a worker is there or not. */
  submitCredentials(tenantId: TenantId, submitted: SubmittedCredentials): Promise<void> {
    return this.#inTime(() => this.#onboarding(tenantId).signal(submitCredentialsSignal, submitted));
  }

  recheck(tenantId: TenantId, request: Request): Promise<void> {
    return this.#inTime(() => this.#onboarding(tenantId).signal(recheckSignal, request));
  }

  chooseWebhookSetup(tenantId: TenantId, setup: WebhookSetup): Promise<void> {
    return this.#inTime(() => this.#onboarding(tenantId).signal(chooseWebhookSetupSignal, setup));
  }

  /** Has the webhook that we made given a new key. */
  replaceWebhookKey(tenantId: TenantId): Promise<void> {
    return this.#inTime(() => this.#onboarding(tenantId).signal(replaceWebhookKeySignal));
  }

  cancel(tenantId: TenantId, request: CancelRequest): Promise<void> {
    return this.#inTime(() => this.#onboarding(tenantId).signal(cancelSignal, request));
  }

  /** Keeps a tenant that is being disconnected. */
  callOff(tenantId: TenantId, request: Request): Promise<void> {
    return this.#inTime(() => this.#onboarding(tenantId).signal(callOffSignal, request));
  }

  /** Tells an onboarding that waits for a delivery. Nothing when it has ended. */
  webhookSeen(tenantId: TenantId): Promise<void> {
    return unlessGone(this.#inTime(() => this.#onboarding(tenantId).signal(webhookSeenSignal)));
  }

  /** Starts extraction, or tells the one that runs that the credentials work. */
  async startExtraction(input: ExtractionInput): Promise<void> {
    const { tenantId } = input;
    await this.#inTime(() =>
      this.#client.workflow.signalWithStart(EXTRACTION_WORKFLOW, {
        workflowId: extractionWorkflowId(tenantId),
        taskQueue: EXTRACTION_TASK_QUEUE,
        args: [input],
        signal: credentialsChangedSignal,
        staticSummary: `Extracts the conversations of ${tenantId}`,
        staticDetails: EXTRACTION_DETAILS,
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.tenantId, value: tenantId }],
      }),
    );
  }

  pause(tenantId: TenantId, request: Request): Promise<void> {
    return this.#inTime(() =>
      this.#extraction(tenantId).signal(pauseSignal, { ...request, at: new Date().toISOString() }),
    );
  }

  resume(tenantId: TenantId, request: Request): Promise<void> {
    return this.#inTime(() => this.#extraction(tenantId).signal(resumeSignal, request));
  }

  /** Has a stopped extraction try again now. Nothing when none runs. */
  credentialsChanged(tenantId: TenantId): Promise<void> {
    return unlessGone(this.#inTime(() => this.#extraction(tenantId).signal(credentialsChangedSignal)));
  }

  /** Wakes a parked tenant. Nothing when none runs: one that has not started yet will look by itself. */
  wake(tenantId: TenantId): Promise<void> {
    return unlessGone(this.#inTime(() => this.#extraction(tenantId).signal(wakeSignal)));
  }

  /** While paused: has events taken out of SQS into the ledger. Nothing when none runs. */
  archive(tenantId: TenantId): Promise<void> {
    return unlessGone(this.#inTime(() => this.#extraction(tenantId).signal(archiveSignal)));
  }

  /** Events are about to expire, or not any more (null). Nothing when none runs. */
  warn(tenantId: TenantId, warning: Problem | null): Promise<void> {
    return unlessGone(this.#inTime(() => this.#extraction(tenantId).signal(warnSignal, warning)));
  }

  /** What they keep to from now on. Nothing when it does not run. */
  tuneOnboarding(tenantId: TenantId, tunings: OnboardingTunings): Promise<void> {
    return unlessGone(this.#inTime(() => this.#onboarding(tenantId).signal(tuneOnboardingSignal, tunings)));
  }

  tuneExtraction(tenantId: TenantId, tuning: ExtractionTuning): Promise<void> {
    return unlessGone(this.#inTime(() => this.#extraction(tenantId).signal(tuneExtractionSignal, tuning)));
  }

  /** Has a workflow of a tenant begin a new history under the first key, as soon as nothing is in hand. Nothing when it does not run. */
  renew(workflowId: string): Promise<void> {
    return unlessGone(this.#inTime(() => this.#client.workflow.getHandle(workflowId).signal(renewSignal)));
  }

  /**
   * Ends extraction: asks it to, waits up to `waitMs`, and then ends it by force. What a drain still does then is fenced, and what it held comes
   * again. Nothing when none runs.
   */
  async endExtraction(tenantId: TenantId, request: Request, waitMs: number): Promise<void> {
    const handle = this.#extraction(tenantId);
    await unlessGone(this.#inTime(() => handle.signal(disconnectSignal, request)));
    const hasEnded = await this.#client
      .withDeadline(Date.now() + waitMs, () => handle.result())
      .then(() => true, isEnded);
    // It does not: it stands still, is paused in Temporal, or has no worker.
    if (!hasEnded)
      await this.terminate(handle.workflowId, 'The tenant is disconnected, and its extraction did not end by itself');
  }

  /** Ends a workflow by force; `reason` stands in its history. Nothing when it does not run. */
  terminate(workflowId: string, reason: string): Promise<void> {
    return unlessGone(
      this.#inTime(async () => {
        await this.#client.workflow.getHandle(workflowId).terminate(reason);
      }),
    );
  }

  /**
   * Ids of the workflows of all tenants, from Temporal's lists, which lag some moments behind: those that are open, and those of them that
   * something is reported of (a task that fails again and again, or a pause in Temporal). Throws Temporal's errors.
   */
  async survey(): Promise<Survey> {
    const open = new Set<string>();
    const reported = new Set<string>();
    const ours = `WorkflowType IN ('${ONBOARDING_WORKFLOW}', '${EXTRACTION_WORKFLOW}')`;
    const list = (query: string) => this.#client.workflow.list({ query: `${ours} AND ${query}`, pageSize: 1_000 });
    for await (const { workflowId } of list(`ExecutionStatus = 'Running'`)) open.add(workflowId);
    for (const attribute of ['TemporalReportedProblems', 'TemporalPauseInfo']) {
      try {
        for await (const { workflowId } of list(`ExecutionStatus = 'Running' AND ${attribute} IS NOT NULL`))
          reported.add(workflowId);
      } catch (error) {
        // A server that does not have the attribute reports nothing.
        if (!isInvalidArgument(error)) throw error;
      }
    }
    return { open, reported };
  }

  /**
   * How a workflow is, from Temporal itself. `stoodStill`: it did when it was looked at last. Temporal counts its tries anew with each signal, so it
   * stands still until a task of it has gone well.
   */
  async examine(workflowId: string, { stoodStill = false } = {}): Promise<Examined> {
    const handle = this.#client.workflow.getHandle(workflowId);
    try {
      const { status, raw } = await this.#inTime(() => handle.describe());
      if (status.name === 'PAUSED') return { state: 'paused', what: 'workflow' };
      if (status.name !== 'RUNNING') return { state: 'ended', how: status.name.toLowerCase() };
      if (raw.pendingActivities?.some(({ paused }) => paused === true)) return { state: 'paused', what: 'activity' };
      const unread = raw.pendingActivities?.find(
        ({ lastFailure, state }) => lastFailure?.applicationFailureInfo?.type === UNREADABLE_INPUT && state !== STARTED,
      );
      if (unread?.lastFailure) return { state: 'wedged', reason: await this.#messageOf(unread.lastFailure) };
      const failing = raw.pendingActivities?.find(
        ({ attempt, lastFailure, state }) =>
          // One that is at work may have failed long ago.
          lastFailure != null && (attempt ?? 1) > ACTIVITY_TRIES && state !== STARTED,
      );
      if (failing?.lastFailure) return { state: 'wedged', reason: await this.#messageOf(failing.lastFailure) };
      const { pendingWorkflowTask: task } = raw;
      if (task == null) return { state: 'well' };
      const { tries, forMs, reason } = await this.#failedTasks(workflowId);
      const failed = Math.max(tries, (task.attempt ?? 1) - 1);
      const isWell = forMs <= LONGEST_TRIES_MS && failed < (stoodStill ? 1 : TRIES);
      return isWell ? { state: 'well' } : { state: 'wedged', reason };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { state: 'ended', how: 'deleted' };
      throw error;
    }
  }

  /**
   * How many tasks have failed since the last that was completed, for how long, and over what the latest did. Of those that follow each other
   * Temporal keeps the first in the history, and counts the attempts; but each signal that comes meanwhile begins the count anew.
   */
  async #failedTasks(workflowId: string) {
    const { history } = await this.#inTime(() =>
      this.#client.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: this.#client.options.namespace,
        execution: { workflowId },
        maximumPageSize: 100,
      }),
    );
    const events = history?.events ?? [];
    const completed = events.findIndex((event) => event.workflowTaskCompletedEventAttributes);
    const failed = events
      .slice(0, completed === -1 ? undefined : completed)
      .filter((event) => event.workflowTaskFailedEventAttributes);
    const failure = failed[0]?.workflowTaskFailedEventAttributes?.failure;
    const [first, last] = [failed.at(-1), events[0]].map((event) => optionalTsToMs(event?.eventTime));
    return {
      tries: failed.length,
      forMs: first === undefined || last === undefined ? 0 : last - first,
      reason: failure ? await this.#messageOf(failure) : NO_REASON,
    };
  }

  async #messageOf(failure: ProtoFailure): Promise<string> {
    const error = await decodeOptionalFailureToOptionalError(this.#client.options.loadedDataConverter, failure);
    return error?.message.slice(0, MOST_REASON) ?? NO_REASON;
  }

  #inTime<T>(call: () => Promise<T>): Promise<T> {
    return this.#client.withDeadline(Date.now() + DEADLINE_MS, call);
  }

  #onboarding(tenantId: TenantId) {
    return this.#client.workflow.getHandle(onboardingWorkflowId(tenantId));
  }

  #extraction(tenantId: TenantId) {
    return this.#client.workflow.getHandle(extractionWorkflowId(tenantId));
  }
}

async function unlessGone(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** It ended, but not with a result (terminated, cancelled, failed), or there is none. Anything else says nothing of it. */
const isEnded = (error: unknown): boolean =>
  error instanceof WorkflowFailedError || error instanceof WorkflowNotFoundError;

const isInvalidArgument = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === INVALID_ARGUMENT;
