import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ONBOARDING_DETAILS } from '../contracts/descriptions.ts';
import {
  credentialsChangedSignal,
  disconnectSignal,
  type ExtractionStatus,
  extractionStatusQuery,
  pauseSignal,
  type Request,
  resumeSignal,
  wakeSignal,
} from '../contracts/extraction.ts';
import {
  type CancelRequest,
  cancelSignal,
  chooseWebhookSetupSignal,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingStatus,
  onboardingStatusQuery,
  recheckSignal,
  replaceWebhookKeySignal,
  type SubmittedCredentials,
  submitCredentialsUpdate,
  type WebhookSetup,
  webhookSeenSignal,
} from '../contracts/onboarding.ts';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import {
  extractionWorkflowId,
  ONBOARDING_TASK_QUEUE,
  onboardingWorkflowId,
  type TenantId,
} from '../contracts/tenant.ts';

/** What is known of a workflow: all of it, or only what Temporal's own records say while no worker answers. */
export type Known<S> =
  | { readonly from: 'workflow'; readonly status: S }
  | { readonly from: 'records'; readonly state: string; readonly problem: string | null };

/** How long a person waits for a status before we say what we know without it. */
const QUERY_DEADLINE_MS = 2_000;

/** The tenant's two workflows, as the API uses them. Every call throws Temporal's own errors; known-errors.ts translates them. */
export class TenantWorkflows {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts the onboarding unless it runs already. */
  async startOnboarding(input: OnboardingInput): Promise<void> {
    const { tenantId } = input;
    try {
      await this.#client.workflow.start(ONBOARDING_WORKFLOW, {
        workflowId: onboardingWorkflowId(tenantId),
        taskQueue: ONBOARDING_TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `Connects ${tenantId}`,
        staticDetails: ONBOARDING_DETAILS,
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.tenantId, value: tenantId }],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async submitCredentials(tenantId: TenantId, submitted: SubmittedCredentials): Promise<void> {
    await this.#onboarding(tenantId).executeUpdate(submitCredentialsUpdate, { args: [submitted] });
  }

  recheck(tenantId: TenantId, request: Request): Promise<void> {
    return this.#onboarding(tenantId).signal(recheckSignal, request);
  }

  chooseWebhookSetup(tenantId: TenantId, setup: WebhookSetup): Promise<void> {
    return this.#onboarding(tenantId).signal(chooseWebhookSetupSignal, setup);
  }

  /** Has the webhook that we made given a new key. */
  replaceWebhookKey(tenantId: TenantId): Promise<void> {
    return this.#onboarding(tenantId).signal(replaceWebhookKeySignal);
  }

  cancel(tenantId: TenantId, request: CancelRequest): Promise<void> {
    return this.#onboarding(tenantId).signal(cancelSignal, request);
  }

  /** Tells an onboarding that waits for a delivery. One that has ended does not care. */
  async webhookSeen(tenantId: TenantId): Promise<void> {
    await ignoreNotFound(this.#onboarding(tenantId).signal(webhookSeenSignal));
  }

  pause(tenantId: TenantId, request: Request): Promise<void> {
    return this.#extraction(tenantId).signal(pauseSignal, request);
  }

  resume(tenantId: TenantId, request: Request): Promise<void> {
    return this.#extraction(tenantId).signal(resumeSignal, request);
  }

  credentialsChanged(tenantId: TenantId): Promise<void> {
    return this.#extraction(tenantId).signal(credentialsChangedSignal);
  }

  async disconnect(tenantId: TenantId, request: Request): Promise<void> {
    await ignoreNotFound(this.#extraction(tenantId).signal(disconnectSignal, request));
  }

  /** Rings a parked tenant. One whose extraction has not started yet will look by itself. */
  async wake(tenantId: TenantId): Promise<void> {
    await ignoreNotFound(this.#extraction(tenantId).signal(wakeSignal));
  }

  /** Null while the workflow was never started. */
  onboardingStatus(tenantId: TenantId): Promise<Known<OnboardingStatus> | null> {
    const handle = this.#onboarding(tenantId);
    return this.#known(
      () => handle.query(onboardingStatusQuery),
      () => handle.describe(),
    );
  }

  /** Null while extraction was never started. */
  extractionStatus(tenantId: TenantId): Promise<Known<ExtractionStatus> | null> {
    const handle = this.#extraction(tenantId);
    return this.#known(
      () => handle.query(extractionStatusQuery),
      () => handle.describe(),
    );
  }

  /** State and problem of every tenant's extraction from Temporal's records: one call for all, a moment behind. */
  async allExtractionStates(): Promise<Map<TenantId, { state: string; problem: string | null }>> {
    const found = new Map<TenantId, { state: string; problem: string | null }>();
    const query = "WorkflowType = 'extraction' AND ExecutionStatus = 'Running'";
    for await (const { typedSearchAttributes } of this.#client.workflow.list({ query })) {
      const tenantId = typedSearchAttributes.get(SEARCH_ATTRIBUTES.tenantId);
      if (tenantId !== undefined) found.set(tenantId, recorded(typedSearchAttributes));
    }
    return found;
  }

  async #known<S>(
    query: () => Promise<S>,
    describe: () => Promise<WorkflowExecutionDescription>,
  ): Promise<Known<S> | null> {
    try {
      const status = await this.#client.connection.withDeadline(Date.now() + QUERY_DEADLINE_MS, query);
      return { from: 'workflow', status };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      // No worker answers. Temporal's own records are still there.
      const { typedSearchAttributes } = await describe();
      return { from: 'records', ...recorded(typedSearchAttributes) };
    }
  }

  #onboarding(tenantId: TenantId) {
    return this.#client.workflow.getHandle(onboardingWorkflowId(tenantId));
  }

  #extraction(tenantId: TenantId) {
    return this.#client.workflow.getHandle(extractionWorkflowId(tenantId));
  }
}

function recorded(attributes: WorkflowExecutionDescription['typedSearchAttributes']): {
  state: string;
  problem: string | null;
} {
  return {
    state: attributes.get(SEARCH_ATTRIBUTES.state) ?? 'unknown',
    problem: attributes.get(SEARCH_ATTRIBUTES.problem) ?? null,
  };
}

async function ignoreNotFound(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
