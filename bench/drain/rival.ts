import { demoCredentials } from '../../simulator/simulator.ts';
import type { World } from '../support/world.ts';

const EVERY_MS = 200;

/** Another client of the same organization: five requests a second, evenly, whatever they are answered with. */
export class Rival {
  readonly #timer: NodeJS.Timeout;
  readonly #calls = new Set<Promise<void>>();

  constructor(world: World) {
    const url = `${world.places().simulator}/api/v1/inboxes`;
    const { email, apiToken } = demoCredentials(world.simulatorSeed);
    const headers = {
      authorization: `Basic ${Buffer.from(`${email}:${apiToken}`).toString('base64')}`,
      'user-agent': 'rival',
    };
    this.#timer = setInterval(() => {
      const call = fetch(url, { headers })
        .then((answer) => answer.body?.cancel())
        .catch(() => undefined)
        .finally(() => this.#calls.delete(call));
      this.#calls.add(call);
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#calls);
  }
}
