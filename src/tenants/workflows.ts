import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { EXTRACTION_DETAILS, ONBOARDING_DETAILS } from '../contracts/descriptions.ts';
import {
  archiveSignal,
  credentialsChangedSignal,
  disconnectSignal,
  EXTRACTION_WORKFLOW,
  type ExtractionInput,
  pauseSignal,
  type Request,
  resumeSignal,
  wakeSignal,
  warnSignal,
} from '../contracts/extraction.ts';
import {
  type CancelRequest,
  cancelSignal,
  chooseWebhookSetupSignal,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  recheckSignal,
  replaceWebhookKeySignal,
  type SubmittedCredentials,
  submitCredentialsUpdate,
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

/** How long a call may take. A Temporal that is well answers within milliseconds; what takes longer may still be done. */
const DEADLINE_MS = 3_000;

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

  /** Resolves once the new credentials are the ones being checked. */
  submitCredentials(tenantId: TenantId, submitted: SubmittedCredentials): Promise<{ readonly version: number }> {
    return this.#inTime(() => this.#onboarding(tenantId).executeUpdate(submitCredentialsUpdate, { args: [submitted] }));
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
    return this.#inTime(() => this.#extraction(tenantId).signal(pauseSignal, request));
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

  /** Asks extraction to end, and waits up to `waitMs`. True when none runs any more. */
  async endExtraction(tenantId: TenantId, request: Request, waitMs: number): Promise<boolean> {
    const handle = this.#extraction(tenantId);
    try {
      await this.#inTime(() => handle.signal(disconnectSignal, request));
      await this.#client.withDeadline(Date.now() + waitMs, () => handle.result());
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return true;
      return (await this.#inTime(() => handle.describe())).status.name !== 'RUNNING';
    }
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
