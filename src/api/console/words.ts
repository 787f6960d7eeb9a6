import type { StepName, StepState } from '../../contracts/onboarding.ts';
import { isProblemCode, problemText } from '../../contracts/problems.ts';
import type { Group, Tone } from '../../tenants/standing.ts';

/** The words of the console that stand for a code: each thing has one name, on every page. */

export const GROUP_NAMES: Readonly<Record<Group, string>> = {
  attention: 'Needs attention',
  customer: 'Waits for the customer',
  paused: 'Paused',
  connecting: 'Being connected',
  running: 'Running',
  ended: 'Disconnected',
};

export const STEP_NAMES: Readonly<Record<StepName, string>> = {
  provision: 'Queue and webhook address',
  credentials: 'Domain, user and API token',
  domain: 'Gladly answers at the domain',
  token: 'Gladly accepts the token',
  roles: 'The user has its three roles',
  webhook: 'The webhook in Gladly is right',
  proof: 'A delivery has arrived',
  extraction: 'Extraction has started',
};

export const STEP_STATES: Readonly<Record<StepState, readonly [label: string, tone: Tone]>> = {
  waiting: ['Not yet', 'quiet'],
  checking: ['Checking', 'busy'],
  retrying: ['Retrying', 'busy'],
  needs_you: ['Waits for a person', 'warn'],
  done: ['Done', 'good'],
};

const ACTION_NAMES: Readonly<Record<string, string>> = {
  create: 'Created',
  change: 'Settings changed',
  credentials: 'New credentials',
  recheck: 'Looked at again',
  webhook_setup: 'Webhook set-up chosen',
  webhook_key: 'New webhook key',
  connect_link: 'Connect links withdrawn',
  pause: 'Paused',
  resume: 'Resumed',
  disconnect: 'Disconnect asked for',
  call_off: 'Disconnect called off',
  restart: 'Workflow begun anew',
  redrive: 'Rejected events brought back',
  discard: 'Rejected events discarded',
  extend_retention: 'Events are kept longer',
  queue_made_anew: 'Queue made anew',
  archive: 'Waiting events archived',
};

/** What was done; an action of a newer version is shown by its code. */
export const actionName = (action: string): string => ACTION_NAMES[action] ?? action.replaceAll('_', ' ');

const REASONS: Readonly<Record<string, string>> = {
  not_json: 'The delivery was not JSON.',
  not_an_event: 'The delivery was not an event.',
  not_about_a_conversation: 'The event names no conversation, so there is nothing to read.',
  not_a_delivery: 'The message in the queue was not a delivery of ours.',
  unknown_type: 'The event is of a kind that we do not know, and names no conversation.',
  item_not_found: 'Gladly did not show the item that the event names.',
  conversation_not_found: 'Gladly has no such conversation any more.',
};

/** Why an event was rejected. */
export function reasonInWords(reason: string | null): string {
  if (reason === null) return 'No reason was noted.';
  const known = REASONS[reason];
  if (known !== undefined) return known;
  const refused = /^store_refused_(\w{5})$/.exec(reason)?.[1];
  if (refused !== undefined) return `The database cannot keep it (SQLSTATE ${refused}).`;
  // Gladly's refusal, known by a problem's code: its sentence may name what we no longer know.
  const sentence = isProblemCode(reason) ? problemText(reason).sentence : '';
  return sentence === '' || sentence.includes('{') ? `${reason.replaceAll('_', ' ')}.` : sentence;
}
