import { z } from 'zod';
import { demoCredentials } from '../../simulator/simulator.ts';
import type { World } from './world.ts';

const webhooks = z.array(z.object({ id: z.string() }));

/**
 * Takes the demo tenant out of a benchmark: it is paused, and its webhook, which would bring it a copy of every event, is disabled in the simulated
 * Gladly, as its administrator would do it.
 */
export async function silenceDemo(world: World): Promise<void> {
  const pipeline = world.pipeline();
  await pipeline.ask('POST', '/v1/tenants/demo/pause', { reason: 'not part of the benchmark' });
  await pipeline.when('paused', ({ extraction }) => extraction?.state === 'paused');
  const { email, apiToken } = demoCredentials(world.simulatorSeed);
  const authorization = `Basic ${Buffer.from(`${email}:${apiToken}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ enabled: false });
  const url = `${world.places().simulator}/api/v1/webhooks`;
  for (const { id } of webhooks.parse(await (await fetch(url, { headers })).json())) {
    const answer = await fetch(`${url}/${id}`, { method: 'PATCH', headers, body });
    if (!answer.ok) throw new Error(`the demo tenant's webhook is not disabled: ${answer.status}`);
  }
}
