import type { SeenUser, StepInput, StepResult, UserInput } from '../../contracts/onboarding.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { adoptCredentials } from '../../store/credentials.ts';
import { type AgentList, listAgents, userOf } from './agents.ts';
import type { OnboardingDeps } from './deps.ts';
import { describe, type Questions, questions } from './evidence.ts';
import { openGladly } from './opening.ts';
import { done, needsYou, resultOf } from './results.ts';

/** No mailbox exists there (RFC 2606). */
const NOBODY = 'nobody@idiomatic.invalid';

/** Do email address and token work, and whose are they? Once they do, extraction uses them. */
export function checkToken(deps: OnboardingDeps) {
  return async (input: UserInput, signal: AbortSignal): Promise<StepResult> => {
    const asked = questions(deps.now);
    try {
      const opened = await openGladly(deps, input);
      if (!opened.ok) return needsYou([opened.problem], asked.evidence);
      const agents = await listAgents(opened.client, asked, 'email address and token work', signal);
      // Gladly knows the user, or it would be 401. What the user may do is the next step's question.
      if (agents === 'forbidden') return done(asked.evidence);
      const user = userOf(agents, opened.email);
      const wrong =
        user === null
          ? await notListed(agents, input.user, () => addressCounts(opened.clientAs(NOBODY), asked, signal))
          : someoneElse(user.id, input.user);
      if (wrong) return needsYou([wrong], asked.evidence);
      await useFromNowOn(deps, input);
      return { ...done(asked.evidence), ...(user ? { user: { id: user.id, at: deps.now().toISOString() } } : {}) };
    } catch (error) {
      return resultOf(error, asked);
    }
  };
}

const someoneElse = (userId: string, known: SeenUser | null): Problem | null =>
  known === null || known.id === userId ? null : problem('user_changed');

/**
 * Gladly lists no user with the address. When it lists the user under another one, or does not compare the address with the token at
 * all, the address is wrong. Else the user is there and only not listed among the agents: a matter of roles, and so the next step's.
 */
async function notListed(
  agents: AgentList,
  known: SeenUser | null,
  addressCounts: () => Promise<boolean>,
): Promise<Problem | null> {
  if (agents.some((it) => it.id === known?.id)) return problem('user_not_found');
  return (await addressCounts()) ? null : problem('user_not_found');
}

async function addressCounts(asNobody: GladlyClient, asked: Questions, signal: AbortSignal): Promise<boolean> {
  const question = 'GET /api/v1/organization, with the token but an address that is nobody’s';
  try {
    await asNobody.getOrganization(signal);
  } catch (error) {
    if (!(error instanceof GladlyError)) throw error;
    if (error.kind === 'unauthorized') {
      asked.note(question, { answered: describe(error), means: 'the address you gave is that of the token’s user' });
      return true;
    }
    if (error.kind !== 'forbidden') throw error;
  }
  asked.note(question, { answered: 'accepted', means: 'the token alone counts: the address may be wrong' });
  return false;
}

/** From here on extraction uses these credentials; when it had stopped over a rejected token it goes on. */
export async function useFromNowOn({ db, workflows }: OnboardingDeps, input: StepInput): Promise<void> {
  const { tenantId, credentialsVersion } = input;
  if (await adoptCredentials(db, tenantId, credentialsVersion)) await workflows.credentialsChanged(tenantId);
}
