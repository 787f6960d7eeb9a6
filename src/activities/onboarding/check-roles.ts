import type { StepResult, UserInput } from '../../contracts/onboarding.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { listAgents, userOf } from './agents.ts';
import { useFromNowOn } from './check-token.ts';
import type { OnboardingDeps } from './deps.ts';
import { describe, type Questions, questions } from './evidence.ts';
import { openGladly } from './opening.ts';
import { done, needsYou, resultOf } from './results.ts';

const DAY_MS = 86_400_000;
/** The step before has looked at the agents: not asked again within this time. */
const JUST_NOW_MS = 30_000;

/**
 * Has the user the three roles? Gladly's API does not tell a user's roles, so each is probed, as surely as its documentation allows (gladly.md 4):
 * - API User: calling the API takes it, and so do the webhook settings (documented). A 403 to a plain reading means that it is missing.
 * - Administrator: reports take it (documented). A 403 to a report means that it is missing.
 * - Agent: no call is documented to fail without it. The list of agents is likely to hold those who have it, so that a user who is
 *   not on it lacks it, and the notice says that it is not certain.
 */
export function checkRoles(deps: OnboardingDeps) {
  return async (input: UserInput, signal: AbortSignal): Promise<StepResult> => {
    const asked = questions(deps.now);
    try {
      const opened = await openGladly(deps, input);
      if (!opened.ok) return needsYou([opened.problem], asked.evidence);
      const { client, email } = opened;
      const listed = await isListed(client, email, signal);
      if (listed === 'forbidden' || !(await maySeeWebhooks(client, asked, signal))) {
        // Everything else is refused as well now, so nothing can be said about the other two.
        const unknown = [notCertain('Agent'), notCertain('Administrator')];
        return needsYou([problem('api_user_role_missing')], asked.evidence, unknown);
      }
      await useFromNowOn(deps, input);
      const administrator = await mayMakeReports(client, deps.now(), asked, signal);
      const missing: Problem[] = [
        ...(listed ? [] : [problem('agent_role_missing')]),
        ...(administrator === 'no' ? [problem('administrator_role_missing')] : []),
      ];
      const notices = [notCertain('Agent'), ...(administrator === 'not known' ? [notCertain('Administrator')] : [])];
      const [first, ...further] = missing;
      return first ? needsYou([first, ...further], asked.evidence, notices) : done(asked.evidence, notices);
      async function isListed(
        client: GladlyClient,
        email: string,
        signal: AbortSignal,
      ): Promise<boolean | 'forbidden'> {
        const justSeen = input.user !== null && deps.now().getTime() - Date.parse(input.user.at) < JUST_NOW_MS;
        const agents = justSeen ? null : await listAgents(client, asked, 'may call the API', signal);
        if (agents === 'forbidden') return agents;
        const listed = agents === null || userOf(agents, email) !== null;
        asked.note('Is the user among the agents?', {
          answered: listed ? 'yes' : 'no',
          means: listed ? 'most likely has the role Agent' : 'most likely lacks the role Agent',
        });
        return listed;
      }
    } catch (error) {
      return resultOf(error, asked);
    }
  };
}

const notCertain = (role: string): Problem => problem('role_not_certain', { role });

async function maySeeWebhooks(client: GladlyClient, asked: Questions, signal: AbortSignal): Promise<boolean> {
  const question = 'GET /api/v1/webhooks';
  try {
    const { values } = await client.listWebhooks(signal);
    asked.note(question, {
      answered: `200, ${values.length} webhooks`,
      means: 'may see the webhook settings: has the role API User',
    });
    return true;
  } catch (error) {
    if (!(error instanceof GladlyError)) throw error;
    asked.note(question, describe(error));
    if (error.kind === 'forbidden') return false;
    throw error;
  }
}

/** The smallest of reports: one day, one row. */
async function mayMakeReports(
  client: GladlyClient,
  now: Date,
  asked: Questions,
  signal: AbortSignal,
): Promise<'yes' | 'no' | 'not known'> {
  const question = 'POST /api/v1/reports';
  const day = new Date(now.getTime() - DAY_MS).toISOString().slice(0, 10);
  try {
    await client.createReport({ metricSet: 'ConversationSummaryReport', startAt: day, endAt: day }, signal);
    asked.note(question, { answered: '200', means: 'may make reports: has the role Administrator' });
    return 'yes';
  } catch (error) {
    if (!(error instanceof GladlyError)) throw error;
    if (error.kind === 'forbidden') {
      asked.note(question, {
        answered: describe(error),
        means: 'may not make reports: lacks the role Administrator',
      });
      return 'no';
    }
    asked.note(question, describe(error));
    if (error.kind === 'unauthorized') throw error;
    // Gladly let the user in a moment ago, and the report failed, was too slow or too much: that says nothing about the role, and keeps nobody out.
    return 'not known';
  }
}
