import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import type { Agent } from '../../gladly/schemas.ts';
import { describe, type Questions } from './evidence.ts';

export type AgentList = readonly Agent[];

const AGENTS = 'GET /api/v1/agents';

/** Gladly's agents; 'forbidden' when the user may not see them. `means`: what follows from being told. */
export async function listAgents(
  client: GladlyClient,
  asked: Questions,
  means: string,
  signal: AbortSignal,
): Promise<AgentList | 'forbidden'> {
  try {
    const { values } = await client.listAgents(signal);
    asked.note(AGENTS, { answered: `200, ${values.length} agents`, means });
    return values;
  } catch (error) {
    if (!(error instanceof GladlyError)) throw error;
    asked.note(AGENTS, describe(error));
    if (error.kind === 'forbidden') return 'forbidden';
    throw error;
  }
}

/** The agent with this address, capitals or not; null when there is none. */
export function userOf(agents: AgentList, email: string): Agent | null {
  const wanted = email.trim().toLowerCase();
  return agents.find((it) => it.emailAddress?.trim().toLowerCase() === wanted) ?? null;
}
