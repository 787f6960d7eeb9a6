import { Answer, answering, nobodyThere, untrusted } from '../place.ts';
import { type FaultRow, NINE_EVENTS, WE_RETRY } from './row.ts';

const ORGANIZATION = { id: 'org-1', name: 'Acme' };
const MENU = 'In Gladly, open Settings > App Developer Tools > Webhooks';

/** Domains that lead to something other than a Gladly that works, or to a Gladly that the simulator is not. */
export const elsewhereFaults: readonly FaultRow[] = [
  {
    fault: 'TLS error',
    place: untrusted,
    step: 'domain',
    state: 'needs_you',
    code: 'tls_error',
    sentence: 'The connection to {host} is not secure: its certificate could not be verified.',
    remedy: 'Check the domain: it should be exactly the address at which you open Gladly. If it is, tell us.',
  },
  {
    fault: 'connection refused',
    place: nobodyThere,
    step: 'domain',
    state: 'retrying',
    code: 'connection_refused',
    sentence: '{host} does not accept connections at the moment.',
    remedy: WE_RETRY,
  },
  {
    fault: '`errors` as an object',
    place: () =>
      answering({
        'GET /api/v1/organization': new Answer(404, { errors: { code: 'not_exist', detail: 'no such organization' } }),
      }),
    step: 'domain',
    state: 'needs_you',
    code: 'organization_not_found',
    sentence: 'Gladly knows no organization at {host}.',
    remedy: 'Check the spelling: open Gladly in a browser and copy the address from there.',
  },
  {
    fault: '429 with a pace of a minute',
    place: () => answering({ 'GET /api/v1/organization': new Answer(429, { errors: [] }, { 'retry-after': '60' }) }),
    step: 'domain',
    state: 'retrying',
    nextTryInMs: 60_000,
    code: 'gladly_rate_limited',
    sentence: 'Your Gladly organization is making as many requests as Gladly allows.',
    remedy: 'Nothing to do: we slow down and keep trying. If it lasts, another of your integrations uses up the limit.',
  },
  {
    fault: 'agent list without the user, and an address that Gladly does not compare with the token',
    place: () =>
      answering({
        'GET /api/v1/organization': ORGANIZATION,
        'GET /api/v1/agents': [{ id: 'agent-1', name: 'Other', emailAddress: 'other@customer.example' }],
      }),
    step: 'token',
    state: 'needs_you',
    code: 'user_not_found',
    sentence: 'The email address you gave belongs to none of the users that Gladly lists.',
    remedy:
      'In Gladly, open Settings > Users: the integration user must be there, be active, have the role Agent, and have exactly the email address you entered.',
  },
  {
    fault: 'an agent list that is no list',
    place: () => answering({ 'GET /api/v1/organization': ORGANIZATION, 'GET /api/v1/agents': { agents: [] } }),
    step: 'token',
    state: 'needs_you',
    code: 'gladly_unexpected_answer',
    sentence: 'Gladly gave an answer that we do not understand (to GET /api/v1/agents).',
    remedy: 'Nothing to do for you: we have to look into it.',
  },
  {
    fault: 'a webhook that is right, and a PING that never came',
    place: (tenant) =>
      answering({
        'GET /api/v1/organization': ORGANIZATION,
        'GET /api/v1/agents': [{ id: 'agent-1', emailAddress: 'Integration@Customer.example' }],
        'POST /api/v1/reports': new Answer(200, 'Conversations\n1', { 'content-type': 'text/csv' }),
        get 'GET /api/v1/webhooks'() {
          return [
            {
              id: 'webhook-1',
              url: tenant().webhookUrl,
              events: NINE_EVENTS,
              headerKeys: ['x-api-key'],
              enabled: true,
            },
          ];
        },
      }),
    step: 'proof',
    state: 'needs_you',
    code: 'webhook_ping_missing',
    sentence: 'The test call that Gladly makes when a webhook is enabled has not reached us.',
    remedy: `${MENU}, edit the webhook, disable it and save, then enable it and save: Gladly then calls again.`,
  },
];
