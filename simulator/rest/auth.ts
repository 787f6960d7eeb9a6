import type { User, Users } from '../store/users.ts';
import { type Answer, empty, errors } from './answer.ts';
import type { Route } from './router.ts';

/**
 * Basic `email:token`. A token is bound to one user: another user's address with it is as wrong as a wrong token
 * (gladly.md 2.1). The body of a 401 is not documented, and an official fixture has none (gladly.md 2.4).
 */
export function authenticate(users: Users, authorization: string | undefined): User | Answer {
  if (authorization === undefined) return errors(401, { code: 'invalid', detail: 'Authentication not provided' });
  const encoded = /^Basic ([A-Za-z0-9+/=_-]+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return empty(401);
  const [email, ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const user = users.byToken(rest.join(':'));
  return user !== undefined && user.email === email ? user : empty(401);
}

/**
 * Roles, as far as gladly.md 4 knows them:
 * - Without API User every call is refused. Likely: "creating tokens and calling the API needs API User" (official),
 *   although what happens to a token whose user lost the role later is not written down.
 * - Without Administrator only POST /reports is refused: the one endpoint whose need is documented (official).
 * - Without Agent nothing is refused, but the user is missing from GET /agents (rest/directory.ts). Inferred: the
 *   list is of agents, and which endpoint fails without the role is not documented.
 */
export function authorize(user: User, route: Route): Answer | undefined {
  const needed = ['API User' as const, ...(route.role === undefined ? [] : [route.role])];
  if (needed.every((role) => user.roles.includes(role))) return undefined;
  return errors(403, { code: 'invalid', detail: 'User does not have permission to access resource' });
}
