import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { ExtractionTuning, Request } from './extraction.ts';
import type { Problem } from './problems.ts';
import type { KnownBefore, Projection } from './projection.ts';
import type { TenantId } from './tenant.ts';

/** The name under which Temporal knows the workflow. It is in stored histories, so it stays. */
export const ONBOARDING_WORKFLOW = 'onboarding';

/** The steps of Gladly's set-up article, in their order (gladly.md 1.6). */
export const STEPS = [
  'provision',
  'credentials',
  'domain',
  'token',
  'roles',
  'webhook',
  'proof',
  'extraction',
] as const;
export type StepName = (typeof STEPS)[number];

/**
 * `waiting`: not its turn yet. `checking`: at it. `retrying`: it failed and is retried. `needs_you`: only a person
 * can resolve it. `done`.
 */
export type StepState = 'waiting' | 'checking' | 'retrying' | 'needs_you' | 'done';

/** What was asked, what came back, and when: enough to believe a verdict. Never a secret, never a customer's text. */
export interface Evidence {
  readonly asked: string;
  readonly answered: string;
  /** What follows from it, and how surely, where that is not plain. */
  readonly means?: string;
  /** ISO time. */
  readonly at: string;
}

export interface StepStatus {
  readonly name: StepName;
  readonly state: StepState;
  /** ISO time at which this state began. */
  readonly since: string;
  /** ISO time since which this step has not got through; null while it was not tried, and when it is done. */
  readonly stuckSince: string | null;
  /** Tries since the step was last begun. */
  readonly attempts: number;
  /** What is in the way; the first to resolve when there are several. */
  readonly problem: Problem | null;
  /** What else is in the way. */
  readonly furtherProblems: readonly Problem[];
  /** Worth knowing, but stops nothing. */
  readonly notices: readonly Problem[];
  /** When a person has left the step undone for long, for the operator. */
  readonly reminder: Problem | null;
  readonly evidence: readonly Evidence[];
  /** ISO time of the next try, when one is planned. */
  readonly nextTryAt: string | null;
}

/** `cancelling`: it takes back what it made, or asks what to do with events that still wait. */
export type OnboardingState = 'in_progress' | 'done' | 'cancelling' | 'cancelled';

export interface OnboardingStatus {
  readonly state: OnboardingState;
  readonly since: string;
  readonly step: StepName | null;
  readonly steps: readonly StepStatus[];
  /** Version of the stored credentials that are being used; 0 before any were given. */
  readonly credentialsVersion: number;
  readonly webhookSetup: WebhookSetup;
  /** What stands in the way of a cancellation. */
  readonly problem: Problem | null;
  readonly cancel: (CancelRequest & { readonly at: string }) | null;
  readonly unknownSignals: number;
}

/** `create_for_me`: we make the webhook through Gladly's API, because the customer asked. `by_hand`: the customer makes it. */
export type WebhookSetup = 'create_for_me' | 'by_hand';

export interface SubmittedCredentials {
  /** Version of the encrypted credentials in the store: the credentials themselves never enter a history. */
  readonly version: number;
  /** Chosen with them; absent: it stays as it is. */
  readonly setup?: WebhookSetup;
}

/** New credentials were stored: check those. */
export const submitCredentialsSignal = defineSignal<[SubmittedCredentials]>('submitCredentials');
/** A person reports that something was corrected: check again now. */
export const recheckSignal = defineSignal<[Partial<Request>?]>('recheck');
export const chooseWebhookSetupSignal = defineSignal<[WebhookSetup]>('chooseWebhookSetup');
/** Gives the webhook that we created a new key; the old one works until the new one was seen. By hand, the customer copies a new one. */
export const replaceWebhookKeySignal = defineSignal('replaceWebhookKey');
/** A delivery with the right key arrived: worth a look at what was seen. */
export const webhookSeenSignal = defineSignal('webhookSeen');
/** Ends it, and takes back what it made in Gladly and SQS. */
export const cancelSignal = defineSignal<[Partial<CancelRequest>?]>('cancel');

/** The tenant is not to be disconnected after all: what was taken back already is made again. */
export const callOffSignal = defineSignal<[Partial<Request>?]>('callOff');
/** From now on keep to these times. The sweep sends them when the settings were changed. */
export const tuneOnboardingSignal = defineSignal<[OnboardingTunings]>('tune');

export interface CancelRequest extends Request {
  /** Events that still wait may be deleted. Without it, they are kept and a person is asked. */
  readonly discardWaitingEvents: boolean;
}

export const onboardingStatusQuery = defineQuery<OnboardingStatus>('status');

/** Times in milliseconds, so that tests can make minutes into moments. */
export interface OnboardingTuning {
  /** First and longest wait between retries: 1 s and 5 min. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** What a person must resolve is checked again this often: 15 min. */
  readonly recheckMs: number;
  /** While a delivery is awaited, the store is checked this often even without a signal. */
  readonly proofLookMs: number;
  /** A step that a person leaves undone for this long is reminded of, and again each time it passes: 3 days unless set. */
  readonly overdueMs?: number;
  readonly continueAsNewAfter: number;
}

/** What it keeps to, and what the extraction that it starts is to keep to. */
export interface OnboardingTunings {
  readonly own: OnboardingTuning;
  readonly extraction: ExtractionTuning;
}

export interface OnboardingInput {
  readonly version: 1;
  readonly tenantId: TenantId;
  readonly retentionDays: number;
  readonly webhookSetup: WebhookSetup;
  /** Extraction starts paused, and waits until it is told. */
  readonly startPaused: Request | null;
  readonly tuning: OnboardingTuning;
  readonly extractionTuning: ExtractionTuning;
  readonly carried?: CarriedOnboarding;
}

/** All that an onboarding knows between tries, and what continue-as-new carries: plain JSON. */
export interface CarriedOnboarding {
  readonly version: 1;
  readonly state: OnboardingState;
  readonly since: string;
  readonly steps: readonly StepStatus[];
  readonly credentialsVersion: number;
  /** The user whom these credentials belong to, once seen among the agents. */
  readonly user: SeenUser | null;
  readonly webhookSetup: WebhookSetup;
  /** The webhook that we created is to be given a new key. */
  readonly renewKey: boolean;
  /** Something happened that is worth another look at the step at hand. */
  readonly look: boolean;
  readonly problem: Problem | null;
  readonly cancel: (CancelRequest & { readonly at: string }) | null;
  /** Tries to take back what was made, and the time of the next one. */
  readonly cancelAttempts: number;
  readonly nextCancelTryAt: string | null;
  readonly unknownSignals: number;
}

/** What one try of a step came to. */
export type StepResult =
  | {
      readonly kind: 'done';
      readonly evidence: readonly Evidence[];
      readonly notices: readonly Problem[];
      /** Set by checkToken: the user, when Gladly lists one with the address. */
      readonly user?: SeenUser;
    }
  | {
      readonly kind: 'retry';
      readonly problem: Problem;
      readonly evidence: readonly Evidence[];
      readonly retryAfterMs: number | null;
    }
  | {
      readonly kind: 'needs_you';
      readonly problem: Problem;
      /** What else is wrong, when several things are. */
      readonly further?: readonly Problem[];
      readonly notices?: readonly Problem[];
      readonly evidence: readonly Evidence[];
    };

export interface StepInput {
  readonly tenantId: TenantId;
  readonly credentialsVersion: number;
}

export interface SeenUser {
  /** Gladly's. */
  readonly id: string;
  /** ISO time. */
  readonly at: string;
}

export interface UserInput extends StepInput {
  /** Whom Gladly listed under the address when these credentials were last checked. */
  readonly user: SeenUser | null;
}

/**
 * What the onboarding workflow asks of the world. Each may run twice and be cut off anywhere, so it is idempotent. What Gladly says is
 * an answer, not an exception; they throw only for trouble of our own (Postgres, SQS, Temporal), which Temporal retries.
 */
export interface OnboardingActivities {
  provision(input: { readonly tenantId: TenantId; readonly retentionDays: number }): Promise<StepResult>;
  checkDomain(input: StepInput): Promise<StepResult>;
  /** Once the token works, extraction uses these credentials. */
  checkToken(input: UserInput): Promise<StepResult>;
  checkRoles(input: UserInput): Promise<StepResult>;
  checkWebhook(
    input: StepInput & {
      readonly setup: WebhookSetup;
      /** Give it a new key even if the one it has works. */
      readonly renewKey: boolean;
    },
  ): Promise<StepResult>;
  checkProof(input: StepInput): Promise<StepResult>;
  /** Starts extraction, or tells the one that runs already that the credentials work. */
  startExtraction(
    input: StepInput & { readonly pause: Request | null; readonly tuning: ExtractionTuning },
  ): Promise<StepResult>;
  /** Takes back what onboarding made in Gladly and SQS. Events that wait are kept, and named. */
  removeTraces(
    input: StepInput & { readonly discardWaitingEvents: boolean; readonly request: Request },
  ): Promise<StepResult>;
  /** Writes what a person is told of the onboarding. Run as a local activity. */
  recordOnboarding(projection: Projection<OnboardingStatus>): Promise<KnownBefore<OnboardingStatus>>;
}

/** The header in which Gladly sends the webhook key (Gladly's set-up article, gladly.md 1.6). */
export const WEBHOOK_KEY_HEADER = 'x-api-key';

/** Under which the store notes a delivery whose key was wrong: it has no key id. The API records it, proof reads it. */
export const WRONG_KEY_SIGHTING = { type: 'wrong_key', keyId: '' } as const;

/** Gladly's name of the delivery that it makes when a webhook is enabled or its URL changes. */
export const PING = 'PING';
