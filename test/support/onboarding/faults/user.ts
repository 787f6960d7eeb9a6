import type { FaultRow } from './row.ts';

const TOKEN_REMEDY =
  'Check that the email address belongs to the user who made the token, and that both come from {host}: a token of a sandbox does not work in production, nor the other way round. If in doubt, sign in to Gladly as that user, create a new token under API Tokens, and enter it here.';
const REJECTED = {
  step: 'token',
  state: 'needs_you',
  code: 'token_rejected',
  sentence: 'Gladly does not accept the email address and API token for {host}.',
  remedy: TOKEN_REMEDY,
} as const;

const ALL = ['API User', 'Agent', 'Administrator'];

type Role = 'API User' | 'Agent' | 'Administrator';
const MISSING = {
  'API User': {
    code: 'api_user_role_missing',
    sentence: 'The integration user does not have the role API User.',
    remedy: 'In Gladly, open Settings > Users, edit the integration user, select the role API User, and save.',
  },
  Agent: {
    code: 'agent_role_missing',
    sentence: 'Gladly does not list the integration user among its agents, so it seems to lack the role Agent.',
    remedy: 'In Gladly, open Settings > Users, edit the integration user, select the role Agent, and save.',
  },
  Administrator: {
    code: 'administrator_role_missing',
    sentence: 'The integration user does not have the role Administrator.',
    remedy: 'In Gladly, open Settings > Users, edit the integration user, select the role Administrator, and save.',
  },
} as const;

/** `first` is named first; `rest` is what else is said. */
function lacking(first: Role, has: readonly string[], rest: Pick<FaultRow, 'further' | 'notices'>): FaultRow {
  return {
    fault: `a user with the roles ${has.join(' and ') || 'of nobody'}`,
    arrange: ({ gladly }) => gladly.setRoles(has),
    step: 'roles',
    state: 'needs_you',
    ...MISSING[first],
    ...rest,
    mend: ({ gladly }) => gladly.setRoles(ALL),
  };
}

/** Without API User everything is refused, so nothing is known of the other two. */
const nothingKnown: Pick<FaultRow, 'notices'> = { notices: ['role_not_certain', 'role_not_certain'] };
const agentNotCertain: Pick<FaultRow, 'notices'> = { notices: ['role_not_certain'] };

/** Token, user and roles. */
export const userFaults: readonly FaultRow[] = [
  { fault: 'a wrong token (401)', apiToken: 'not-the-token', ...REJECTED },
  { fault: 'a token of another environment', apiToken: 'token-of-the-sandbox', ...REJECTED },
  { fault: 'the token with another’s email address', email: 'somebody.else@customer.example', ...REJECTED },
  {
    fault: '403 for everything but the organization',
    arrange: ({ gladly }) => gladly.fault({ path: '/api/v1/agents', status: 403 }),
    step: 'roles',
    state: 'needs_you',
    ...MISSING['API User'],
    ...nothingKnown,
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  {
    fault: '403 for the webhook settings alone',
    arrange: ({ gladly }) => gladly.fault({ path: '/api/v1/webhooks', status: 403 }),
    step: 'roles',
    state: 'needs_you',
    ...MISSING['API User'],
    ...nothingKnown,
    mend: ({ gladly }) => gladly.clearFaults(),
  },
  lacking('API User', ['Agent', 'Administrator'], nothingKnown),
  lacking('Agent', ['API User', 'Administrator'], agentNotCertain),
  lacking('Administrator', ['API User', 'Agent'], agentNotCertain),
  lacking('API User', ['Administrator'], nothingKnown),
  lacking('API User', ['Agent'], nothingKnown),
  lacking('Agent', ['API User'], { further: ['administrator_role_missing'], ...agentNotCertain }),
  lacking('API User', [], nothingKnown),
  ...[400, 429, 500].map(
    (status): FaultRow => ({
      fault: `a report that fails for another reason than roles: ${status}`,
      arrange: ({ gladly }) => gladly.fault({ path: '/api/v1/reports', status }),
      step: 'roles',
      state: 'notice',
      code: 'role_not_certain',
      sentence: 'Gladly does not tell us for certain whether the integration user has the role Administrator.',
      remedy: 'In Gladly, open Settings > Users and look that the integration user has the role Administrator.',
      notices: ['role_not_certain', 'role_not_certain'],
    }),
  ),
];
