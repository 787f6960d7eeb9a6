import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { roleSchema } from '../model.ts';
import { json } from '../rest/answer.ts';
import type { Users } from '../store/users.ts';
import { ControlError, type ControlRoute, missing, read } from './control.ts';

const rolesSchema = z.array(roleSchema).transform((roles) => [...new Set(roles)]);
const userSchema = z.strictObject({
  email: z.email(),
  name: z.string().min(1).default('Added User'),
  roles: rolesSchema.default([]),
});
const changeSchema = z.strictObject({ roles: rolesSchema });

const newId = (): string => randomBytes(16).toString('base64url');

/** Users, their roles and their API tokens: what an administrator sets up in Gladly's own pages. */
export function peopleRoutes(users: Users): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: '/simulator/users',
      handle: () => json(200, { users: users.list().map((user) => ({ ...user, tokenIds: users.tokenIds(user.id) })) }),
    },
    {
      method: 'POST',
      path: '/simulator/users',
      handle: ({ body }) => {
        const user = { id: newId(), ...read(userSchema, body) };
        if (users.list().some(({ email }) => email === user.email)) {
          throw new ControlError(409, 'There is a user with this address.');
        }
        users.add(user);
        return json(201, user);
      },
    },
    {
      method: 'PATCH',
      path: '/simulator/users/:id',
      handle: ({ params: { id = '' }, body }) => {
        const { roles } = read(changeSchema, body);
        if (users.get(id) === undefined) throw missing('user', id);
        users.setRoles(id, roles);
        return json(200, users.get(id));
      },
    },
    {
      method: 'POST',
      path: '/simulator/users/:id/tokens',
      handle: ({ params: { id = '' } }) => {
        const user = users.get(id);
        if (user === undefined) throw missing('user', id);
        const apiToken = randomBytes(24).toString('base64url');
        const tokenId = newId();
        users.addToken(tokenId, id, apiToken);
        return json(201, { tokenId, email: user.email, apiToken });
      },
    },
    {
      method: 'DELETE',
      path: '/simulator/tokens/:id',
      handle: ({ params: { id = '' } }) => {
        if (!users.revokeToken(id)) throw missing('token', id);
        return json(200, { revoked: id });
      },
    },
  ];
}
