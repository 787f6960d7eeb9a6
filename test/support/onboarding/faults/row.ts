import type { StepName } from '../../../../src/contracts/onboarding.ts';
import type { ProblemCode } from '../../../../src/contracts/problems.ts';
import type { TestGladly } from '../gladly.ts';
import type { Place } from '../place.ts';
import type { TestTenant } from '../tenant.ts';

/** Where a fault happens: one customer of ours, and their Gladly. */
export interface Scene {
  readonly gladly: TestGladly;
  readonly tenant: TestTenant;
}

/** The ten events of the set-up article without the legacy one. */
export const NINE_EVENTS: readonly string[] = [
  'CONVERSATION/CREATED',
  'CONVERSATION/CLOSED',
  'CONVERSATION/NOTE_CREATED',
  'CONVERSATION/TOPIC_ADDED',
  'CONVERSATION/TOPIC_REMOVED',
  'CONVERSATION_ASSIGNEE/UPDATED',
  'CONTACT/MESSAGE_SENT',
  'CONTACT/MESSAGE_RECEIVED',
  'CONVERSATION_STATUS/UPDATED',
];

/** One fault, and what a customer is told. In the texts, {host} is their domain, {url} our webhook URL, {at} some time, and {seconds} a number. */
export interface FaultRow {
  readonly fault: string;
  /** What answers at the domain, in the place of a whole Gladly. `tenant` may be called once it answers. */
  readonly place?: (tenant: () => TestTenant) => Promise<Place>;
  /** What is typed as the domain; the organization's own by default. */
  readonly domain?: string;
  readonly email?: string;
  readonly apiToken?: string;
  /** Before the credentials are given. */
  readonly arrange?: (scene: Scene) => Promise<void>;
  readonly setup?: 'create_for_me' | 'by_hand';
  readonly step: StepName;
  /** `notice`: the step is done, and this is said nevertheless. */
  readonly state: 'needs_you' | 'retrying' | 'notice';
  readonly code: ProblemCode;
  readonly sentence: string;
  readonly remedy: string;
  readonly further?: readonly ProblemCode[];
  readonly notices?: readonly ProblemCode[];
  /** How far off the next try is at least. */
  readonly nextTryInMs?: number;
  /** What ends it. Then the step is done: by itself when time heals it, else as soon as the customer asks for another look. */
  readonly mend?: 'time' | ((scene: Scene) => Promise<void>);
}

export const WE_RETRY = 'Nothing to do: we keep trying and go on by ourselves as soon as it works.';
