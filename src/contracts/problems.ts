/**
 * Everything that can stand between a customer and their data, each with a stable code, who or what resolves it, the sentence
 * a customer reads and what to do. Pure data: workflows, the API, the pages and docs/problems.md all read from here.
 *
 * Menu names are Gladly's own: users are under Settings > Users, webhooks under Settings > App Developer Tools > Webhooks
 * (help.gladly.com), API tokens under API Tokens in the settings of the user they belong to.
 * A param is shown to people and stored: never a token, a key, an e-mail address or a customer's text.
 */

/** `time`: we go on trying. `customer`: a Gladly administrator has to do something. `operator`: we have to. */
export type MendedBy = 'time' | 'customer' | 'operator';

interface ProblemText {
  readonly mendedBy: MendedBy;
  /** A notice is worth knowing and stops nothing. */
  readonly notice?: true;
  readonly sentence: string;
  readonly remedy: string;
}

const WEBHOOKS = 'Settings > App Developer Tools > Webhooks';
const WE_RETRY = 'Nothing to do: we keep trying and go on by ourselves as soon as it works.';

const texts = {
  // What was entered
  credentials_missing: {
    mendedBy: 'customer',
    sentence: 'We do not have your Gladly domain, user and API token yet.',
    remedy: 'Enter the Gladly domain, the email address of the integration user, and an API token of that user.',
  },
  domain_invalid: {
    mendedBy: 'customer',
    sentence: 'The Gladly domain cannot be used: {reason}.',
    remedy: 'Open Gladly in a browser and copy the first part of its address, such as acme.gladly.com.',
  },
  domain_not_gladly: {
    mendedBy: 'customer',
    sentence: '{domain} is not an address of Gladly.',
    remedy: 'Enter the address at which you open Gladly. It ends in .gladly.com, or in .gladly.qa for a sandbox.',
  },

  // Reaching Gladly
  domain_not_found: {
    mendedBy: 'customer',
    sentence: 'There is no Gladly at {domain}: the name does not exist.',
    remedy: 'Check the spelling: open Gladly in a browser and copy the address from there.',
  },
  organization_not_found: {
    mendedBy: 'customer',
    sentence: 'Gladly knows no organization at {domain}.',
    remedy: 'Check the spelling: open Gladly in a browser and copy the address from there.',
  },
  organization_changed: {
    mendedBy: 'customer',
    sentence: '{domain} is another Gladly organization than the one that was connected here.',
    remedy:
      'Enter the domain that was connected before. To connect another organization, ask us for a link of its own.',
  },
  organization_not_certain: {
    mendedBy: 'customer',
    sentence: 'We cannot tell whether {domain} is the Gladly organization that was connected here.',
    remedy:
      'Enter the domain that was connected before, or give the user all three roles, so that we may read the organization. To connect another organization, ask us for a link of its own.',
  },
  tls_error: {
    mendedBy: 'customer',
    sentence: 'The connection to {domain} is not secure: its certificate could not be verified.',
    remedy: 'Check the domain: it should be exactly the address at which you open Gladly. If it is, tell us.',
  },
  address_refused: {
    mendedBy: 'customer',
    sentence: '{domain} leads to a private network address, and we never connect to those.',
    remedy: 'Check the domain: it should be exactly the address at which you open Gladly. If it is, tell us.',
  },
  redirect_refused: {
    mendedBy: 'customer',
    sentence: '{domain} sent us on to {target}. Your API token is never sent to another address.',
    remedy:
      'If {target} is the address at which you open Gladly, enter that as the domain. Otherwise check the spelling.',
  },
  not_gladly: {
    mendedBy: 'customer',
    sentence: '{domain} answered with something that is not Gladly, such as a web page.',
    remedy: 'Check the domain: it should be exactly the address at which you open Gladly.',
  },
  dns_failed: {
    mendedBy: 'time',
    sentence: 'The address of {domain} cannot be looked up at the moment.',
    remedy: WE_RETRY,
  },
  connection_refused: {
    mendedBy: 'time',
    sentence: '{domain} does not accept connections at the moment.',
    remedy: WE_RETRY,
  },
  connection_lost: { mendedBy: 'time', sentence: 'The connection to {domain} broke off.', remedy: WE_RETRY },
  gladly_timeout: { mendedBy: 'time', sentence: '{domain} did not answer within {seconds} seconds.', remedy: WE_RETRY },
  gladly_server_error: {
    mendedBy: 'time',
    sentence: 'Gladly has a problem of its own at the moment (status {status}).',
    remedy: WE_RETRY,
  },
  gladly_maintenance: {
    mendedBy: 'time',
    sentence: '{domain} answers with pages that are not Gladly’s data, as during maintenance.',
    remedy: WE_RETRY,
  },
  conversations_not_found: {
    mendedBy: 'time',
    sentence: '{domain} says that it does not have conversations which it showed before.',
    remedy: 'Nothing to do: we keep trying, and give nothing up meanwhile. If it lasts, tell us.',
  },
  gladly_rate_limited: {
    mendedBy: 'time',
    sentence: 'Your Gladly organization is making as many requests as Gladly allows.',
    remedy: 'Nothing to do: we slow down and keep trying. If it lasts, another of your integrations uses up the limit.',
  },
  answer_too_large: {
    mendedBy: 'operator',
    sentence: '{domain} sent an answer that is larger than {megabytes} MB, and we stopped reading it.',
    remedy: 'Check that the domain is the address at which you open Gladly. If it is, we have to look into it.',
  },
  gladly_unexpected_answer: {
    mendedBy: 'operator',
    sentence: 'Gladly gave an answer that we do not understand (to {request}).',
    remedy: 'Nothing to do for you: we have to look into it.',
  },
  gladly_request_refused: {
    mendedBy: 'operator',
    sentence: 'Gladly refused one of our requests as wrong ({request}).',
    remedy: 'Nothing to do for you: we have to look into it.',
  },
  gladly_not_found: {
    mendedBy: 'operator',
    sentence: 'Gladly no longer has something that we asked for ({request}).',
    remedy: 'Nothing to do for you: we have to look into it.',
  },

  // Token, user and roles
  token_rejected: {
    mendedBy: 'customer',
    sentence: 'Gladly does not accept the email address and API token for {domain}.',
    remedy:
      'Check that the email address belongs to the user who made the token, and that both come from {domain}: a token of a sandbox does not work in production, nor the other way round. If in doubt, sign in to Gladly as that user, create a new token under API Tokens, and enter it here.',
  },
  forbidden: {
    mendedBy: 'customer',
    sentence: 'Gladly accepts the token, but its user may not {action}.',
    remedy:
      'In Gladly, open Settings > Users, edit the integration user, and select API User, Agent and Administrator.',
  },
  api_user_role_missing: {
    mendedBy: 'customer',
    sentence: 'The integration user does not have the role API User.',
    remedy: 'In Gladly, open Settings > Users, edit the integration user, select the role API User, and save.',
  },
  agent_role_missing: {
    mendedBy: 'customer',
    sentence: 'Gladly does not list the integration user among its agents, so it seems to lack the role Agent.',
    remedy: 'In Gladly, open Settings > Users, edit the integration user, select the role Agent, and save.',
  },
  administrator_role_missing: {
    mendedBy: 'customer',
    sentence: 'The integration user does not have the role Administrator.',
    remedy: 'In Gladly, open Settings > Users, edit the integration user, select the role Administrator, and save.',
  },
  role_not_certain: {
    mendedBy: 'customer',
    notice: true,
    sentence: 'Gladly does not tell us for certain whether the integration user has the role {role}.',
    remedy: 'In Gladly, open Settings > Users and look that the integration user has the role {role}.',
  },
  user_not_found: {
    mendedBy: 'customer',
    sentence: 'The email address you gave belongs to none of the users that Gladly lists.',
    remedy:
      'In Gladly, open Settings > Users: the integration user must be there, be active, have the role Agent, and have exactly the email address you entered.',
  },
  user_changed: {
    mendedBy: 'customer',
    sentence: 'The email address you gave now belongs to another Gladly user than before.',
    remedy: 'If that is intended, create an API token as that user and enter both again.',
  },

  // The webhook
  webhook_missing: {
    mendedBy: 'customer',
    sentence: 'Gladly has no webhook that sends events to us yet.',
    remedy: `Let us create it for you, or create it yourself under ${WEBHOOKS} with the URL {url}.`,
  },
  webhook_wrong_url: {
    mendedBy: 'customer',
    sentence: 'The webhook in Gladly sends to {found} instead of our URL.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, and set its URL to {url}.`,
  },
  webhook_url_not_https: {
    mendedBy: 'customer',
    sentence: 'The webhook in Gladly has a URL that begins with http:// instead of https://.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, and set its URL to {url}.`,
  },
  webhook_events_missing: {
    mendedBy: 'customer',
    sentence: 'The webhook in Gladly does not send these events: {events}.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, select {events}, and save.`,
  },
  webhook_events_extra: {
    mendedBy: 'customer',
    notice: true,
    sentence: 'The webhook in Gladly also sends events that we do not need: {events}.',
    remedy: `This does no harm. To tidy up, open ${WEBHOOKS}, edit the webhook, and clear them.`,
  },
  customer_merged_missing: {
    mendedBy: 'customer',
    notice: true,
    sentence:
      'The webhook in Gladly does not send CUSTOMER/MERGED, so conversations of merged customers keep the old customer here until their next event.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, select CUSTOMER/MERGED, and save.`,
  },
  webhook_header_missing: {
    mendedBy: 'customer',
    sentence: 'The webhook in Gladly does not send the HTTP header {header}.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, and add an HTTP header with the name {header} and the webhook key as its value.`,
  },
  webhook_key_wrong: {
    mendedBy: 'customer',
    sentence: 'Gladly called our URL, but with a wrong webhook key.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, and copy the webhook key once more into the HTTP header {header}. If the key is lost, ask for a new one.`,
  },
  webhook_key_keeps_off: {
    mendedBy: 'customer',
    sentence:
      'Gladly called our URL with a wrong webhook key, {seconds} seconds before this check: that is why the webhook cannot be enabled.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, and copy the webhook key once more into the HTTP header {header}. If the key is lost, make a new one here. Then enable the webhook, and save.`,
  },
  webhook_key_refused: {
    mendedBy: 'operator',
    sentence:
      'Our webhook URL is called without a key that we accept, last at {at}, and nothing has come with a right key since: events may be lost.',
    remedy: `Make a new webhook key, and have it put into the webhook in Gladly, under ${WEBHOOKS}. This message goes with the next delivery that has a right key.`,
  },
  webhook_disabled: {
    mendedBy: 'customer',
    sentence: 'The webhook in Gladly is not enabled.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, enable it, and save.`,
  },
  webhook_switched_off: {
    mendedBy: 'customer',
    sentence:
      'Gladly switched the webhook off at {at}, because too many deliveries had failed. Gladly does not send later what happened since.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, enable it again, and save. Tell us, so that we find out why it failed.`,
  },
  webhook_limit_reached: {
    mendedBy: 'customer',
    sentence: 'Your Gladly organization already has {limit} webhooks, and Gladly allows no more.',
    remedy: `In Gladly, open ${WEBHOOKS} and delete a webhook that is no longer used.`,
  },
  webhook_not_saved: {
    mendedBy: 'operator',
    sentence: 'Gladly did not accept the webhook that we tried to create or change.',
    remedy: `We have to look into it. You can also create it yourself under ${WEBHOOKS}.`,
  },
  webhook_ping_missing: {
    mendedBy: 'customer',
    sentence: 'The test call that Gladly makes when a webhook is enabled has not reached us.',
    remedy: `In Gladly, open ${WEBHOOKS}, edit the webhook, disable it and save, then enable it and save: Gladly then calls again.`,
  },
  no_event_yet: {
    mendedBy: 'time',
    notice: true,
    sentence: 'The webhook works. No event has arrived yet.',
    remedy: 'It comes with the next change to any conversation. To see it at once, add a note to a conversation.',
  },
  message_received_not_offered: {
    mendedBy: 'customer',
    notice: true,
    sentence:
      'Gladly does not offer the event MESSAGE/RECEIVED to you. It is an old one, and CONTACT/MESSAGE_RECEIVED took its place.',
    remedy: 'Nothing to do: leave it out.',
  },

  // Extraction, queue and ledger
  dead_letters_waiting: {
    mendedBy: 'operator',
    sentence: '{count} events could not be taken in and were set aside.',
    remedy: 'Look at why, then bring them back with a redrive.',
  },
  events_rejected: {
    mendedBy: 'operator',
    sentence: '{count} events could not be extracted.',
    remedy:
      'Look at the reason of each, then bring them back with a redrive, or discard what nothing is to be done about.',
  },
  conversations_failing: {
    mendedBy: 'time',
    sentence:
      '{count} conversations cannot be read from Gladly, each tried again and again while others could be ({reason}): {ids}.',
    remedy:
      'Their events wait and are tried again by themselves, at most 10 minutes apart. When it goes on for hours, ask Gladly about them.',
  },
  conversations_put_off: {
    mendedBy: 'time',
    sentence:
      'Events of {count} conversations wait for more than a minute: what they tell of could not be read yet ({reason}): {ids}.',
    remedy:
      'Nobody needs to do anything. They are looked for again at most 2 minutes apart, and what Gladly does not show within a quarter of an hour is given up as gone.',
  },
  events_stalled: {
    mendedBy: 'operator',
    sentence: 'Events have waited for {minutes} minutes, and nothing was extracted meanwhile.',
    remedy:
      'Nothing is lost. Look at the log of the worker for this tenant, and at the load of Postgres and of the worker.',
  },
  quota_starved: {
    mendedBy: 'operator',
    sentence:
      'Events have waited for {minutes} minutes, because Gladly has no requests left for us: others use up its quota, or it refuses more (429).',
    remedy:
      'It goes on as soon as Gladly lets us. Ask the customer which other integrations read from Gladly, or Gladly for a higher limit.',
  },
  events_expire: {
    mendedBy: 'operator',
    sentence:
      'The oldest event that waits has used up {percent} % of the time the queue keeps it. The first would be lost at {at}.',
    remedy: 'Resume extraction, keep events longer, or let them be archived while extraction is paused.',
  },
  events_waiting: {
    mendedBy: 'operator',
    sentence: '{count} events wait and would be lost.',
    remedy: 'Resume extraction until nothing waits, or confirm that they may be deleted.',
  },
  queue_unavailable: {
    mendedBy: 'time',
    sentence: 'Our queue cannot be reached at the moment. New events are kept elsewhere.',
    remedy: WE_RETRY,
  },
  queue_missing: {
    mendedBy: 'operator',
    sentence: 'A queue of this customer does not exist any more, and what was in it is lost. New events are kept.',
    remedy:
      'Find out who deleted it. It is made anew by the next sweep, a few minutes after it was missed, or at once when you choose to check again; the webhook key stays.',
  },
  queue_refused: {
    mendedBy: 'operator',
    sentence: 'SQS refuses what we ask of the queue of this customer ({code}). New events are kept.',
    remedy: 'Give our role the permissions that the deployment guide lists, and look at the policy of the queue.',
  },
  queue_foreign: {
    mendedBy: 'operator',
    sentence: 'The queue {queue} exists and is tagged as belonging to somebody else. It was left alone.',
    remedy: 'Find out whose it is. Then remove it or its tags, or choose another QUEUE_PREFIX.',
  },
  queue_deleted_recently: {
    mendedBy: 'time',
    sentence: 'A queue of the same name was deleted less than a minute ago, and AWS wants us to wait.',
    remedy: WE_RETRY,
  },
  workflow_wedged: {
    mendedBy: 'operator',
    sentence:
      'The {workflow} workflow stands still: each try of it fails, and Temporal gives “{reason}” as the reason.',
    remedy:
      'Nothing is lost: events wait. Put back the release with which it went on, or mend what it fails over, and it goes on by itself. “A workflow that stands still” in docs/operators.md says how.',
  },
  key_missing: {
    mendedBy: 'operator',
    sentence: 'The {workflow} workflow stands still: its history needs the key {id}, which SECRET_KEYS does not hold.',
    remedy:
      'Put the key {id} back into SECRET_KEYS of API and worker, after the first one: it goes on by itself. docs/operators.md says when a key may go.',
  },
  workflow_paused: {
    mendedBy: 'operator',
    sentence: 'The {workflow} workflow does nothing: somebody paused its {what} in Temporal itself.',
    remedy: 'Unpause it in Temporal. To pause extraction, use Pause in the console: it can be seen, and has a reason.',
  },
  store_unavailable: { mendedBy: 'time', sentence: 'Our database cannot be reached at the moment.', remedy: WE_RETRY },
  credentials_unreadable: {
    mendedBy: 'operator',
    sentence: 'The stored Gladly credentials cannot be decrypted with the keys we have.',
    remedy: 'Put the missing encryption key back into the configuration, or ask the customer for a new API token.',
  },
  step_overdue: {
    mendedBy: 'operator',
    sentence: 'The step {step} has waited for the customer for {days} days.',
    remedy: 'Ask the customer whether they need help.',
  },
} as const satisfies Record<string, ProblemText>;

type Texts = typeof texts;
export type ProblemCode = keyof Texts;

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
/** The named params of a problem, exactly those its sentence and remedy mention. */
export type ProblemParams<C extends ProblemCode> = {
  readonly [Name in Placeholders<Texts[C]['sentence'] | Texts[C]['remedy']>]: string | number;
};

export interface ProblemOf<C extends ProblemCode> {
  readonly code: C;
  readonly params: ProblemParams<C>;
  /** ISO time. */
  readonly since?: string;
}

/** One problem, as it is stored, shown and carried through workflows: plain JSON. */
export type Problem = { [C in ProblemCode]: ProblemOf<C> }[ProblemCode];

type ParamsOf<C extends ProblemCode> = keyof ProblemParams<C> extends never ? [] : [params: ProblemParams<C>];

/** The problem with this code. The compiler knows which params it needs. */
export function problem<C extends ProblemCode>(code: C, ...[params]: ParamsOf<C>): ProblemOf<C> {
  return { code, params: params ?? ({} as ProblemParams<C>) };
}

/** @internal For docs/problems.md and the tests. */
export const problemCodes = Object.keys(texts) as readonly ProblemCode[];

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(texts, code);
}

/** Catalogue entry with its placeholders unfilled. */
export function problemText(code: ProblemCode): ProblemText {
  return Object.hasOwn(texts, code) ? texts[code] : UNKNOWN;
}

/** A newer version of the product has stored it: during a rolling deploy an older one reads it too. */
const UNKNOWN: ProblemText = {
  mendedBy: 'operator',
  sentence: 'Something stands in the way that this version of the product does not know.',
  remedy: 'Wait until the update of the product is through, then look again.',
};

export const problemMendedBy = (it: Problem): MendedBy => problemText(it.code).mendedBy;

/** True for what is worth knowing but stops nothing. */
export const isNotice = (it: Problem): boolean => problemText(it.code).notice === true;

export const problemSentence = (it: Problem): string => fill(problemText(it.code).sentence, it.params);

export const problemRemedy = (it: Problem): string => fill(problemText(it.code).remedy, it.params);

// A param that an older version did not store shows as '?', so that a status can still be read.
function fill(text: string, params: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => (Object.hasOwn(params, name) ? String(params[name]) : '?'));
}
