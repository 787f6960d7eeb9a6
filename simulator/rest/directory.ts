import type { Directory } from '../model.ts';
import type { User, Users } from '../store/users.ts';
import { type Answer, errors, errorsAsObject, json } from './answer.ts';
import type { Route } from './router.ts';

/** Organization, agents, inboxes, teams, topics and custom attributes: plain lists, no pages (gladly.md 2.2). */
export function directoryRoutes(directory: Directory, users: Users, gladlyUrl: () => string): Route[] {
  const agents = (): unknown[] =>
    users
      .list()
      .filter(({ roles }) => roles.includes('Agent'))
      .map(toAgent);
  return [
    {
      method: 'GET',
      path: '/api/v1/organization',
      handle: () => json(200, { ...directory.organization, gladlyUrl: gladlyUrl() }),
    },
    { method: 'GET', path: '/api/v1/agents', handle: () => json(200, agents()) },
    {
      method: 'GET',
      path: '/api/v1/agents/:id',
      handle: ({ params }) => {
        const user = users.get(params['id'] ?? '');
        return user?.roles.includes('Agent') ? json(200, toAgent(user)) : notFound('agent', params['id']);
      },
    },
    ...listRoutes('inboxes', 'inbox', directory.inboxes),
    ...listRoutes('teams', 'team', directory.teams),
    ...listRoutes('topics', 'topic', directory.topics),
    {
      method: 'GET',
      path: '/api/v1/custom-attributes/:id',
      handle: ({ params }) =>
        params['id'] === directory.customAttributeId
          ? json(200, { id: params['id'], key: 'campaign', label: 'Campaign', deactivated: false })
          : notFoundAsObject('custom attribute', params['id']),
    },
  ];
}

/** No roles, no active flag, no teams (gladly.md 2.2). */
function toAgent({ id, name, email }: User): unknown {
  return { id, name, emailAddress: email };
}

function listRoutes(plural: string, singular: string, entries: readonly { id: string }[]): Route[] {
  return [
    { method: 'GET', path: `/api/v1/${plural}`, handle: () => json(200, entries) },
    {
      method: 'GET',
      path: `/api/v1/${plural}/:id`,
      handle: ({ params }) => {
        const found = entries.find(({ id }) => id === params['id']);
        return found === undefined ? notFound(singular, params['id']) : json(200, found);
      },
    },
  ];
}

export function notFound(what: string, id: string | undefined): Answer {
  return errors(404, { code: 'not_exist', detail: `${what} [${id ?? ''}] does not exist` });
}

/** For the endpoints whose 404 example shows `errors` as an object (gladly.md 2.4). */
export function notFoundAsObject(what: string, id: string | undefined): Answer {
  return errorsAsObject(404, { code: 'not_exist', detail: `${what} [${id ?? ''}] does not exist` });
}
