import type { OnboardingActivities, StepResult } from '../../contracts/onboarding.ts';
import { problem } from '../../contracts/problems.ts';
import { GladlyError } from '../../gladly/errors.ts';
import type { OnboardingDeps } from './deps.ts';
import { questions } from './evidence.ts';
import { openGladly } from './opening.ts';
import { needsYou, resultOf } from './results.ts';
import { compareByHand } from './webhook/by-hand.ts';
import { createForMe } from './webhook/create-for-me.ts';
import { wantedWebhook } from './webhook/wanted.ts';

export type CheckWebhookInput = Parameters<OnboardingActivities['checkWebhook']>[0];

/** Is the webhook in Gladly as it should be? When the customer asked for it, makes it so. */
export function checkWebhook(deps: OnboardingDeps) {
  return async (input: CheckWebhookInput, signal: AbortSignal): Promise<StepResult> => {
    const asked = questions(deps.now);
    try {
      const opened = await openGladly(deps, input);
      if (!opened.ok) return needsYou([opened.problem], asked.evidence);
      const work = {
        deps,
        tenantId: input.tenantId,
        client: opened.client,
        wanted: wantedWebhook(deps.publicUrl, input.tenantId),
        renewKey: input.renewKey,
        asked,
        signal,
      };
      return await (input.setup === 'create_for_me' ? createForMe(work) : compareByHand(work));
    } catch (error) {
      // The webhook settings take the role API User at least (gladly.md 4).
      if (error instanceof GladlyError && error.kind === 'forbidden')
        return needsYou([problem('api_user_role_missing')], asked.evidence);
      return resultOf(error, asked);
    }
  };
}
