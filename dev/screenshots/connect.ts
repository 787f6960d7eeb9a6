import { join } from 'node:path';
import { z } from 'zod';
import { takeConnectPictures } from '../../test/support/browser/connect-pictures.ts';
import type { Shots } from './shots.ts';

const made = z.object({ connectUrl: z.string() });
const users = z.object({ users: z.array(z.object({ id: z.string(), roles: z.array(z.string()) })) });
const token = z.object({ email: z.string(), apiToken: z.string() });

/** The connect page as a customer sees it, step by step. */
export async function connectPictures({ world, browser, file }: Shots): Promise<void> {
  const all = users.parse(await world.gladly('GET', '/simulator/users'));
  const user = all.users.find(({ roles }) => roles.length === 3);
  const { email, apiToken } = token.parse(await world.gladly('POST', `/simulator/users/${user?.id}/tokens`, {}));
  let links = 0;
  await takeConnectPictures({
    browser,
    folder: join(file('x'), '..'),
    domain: world.gladlyDomain,
    email,
    apiToken,
    newLink: async () => {
      links += 1;
      const tenant = { tenantId: `globex-${links}`, name: 'Globex' };
      return made.parse(await world.api('POST', '/v1/tenants', tenant)).connectUrl;
    },
  });
}
