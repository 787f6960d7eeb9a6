import { PING, type StepInput, type StepResult, WEBHOOK_KEY_HEADER } from '../../contracts/onboarding.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import type { Sighting } from '../../store/sightings.ts';
import type { OnboardingDeps } from './deps.ts';
import { type Questions, questions } from './evidence.ts';
import { done, needsYou, resultOf } from './results.ts';
import { type KeyEvidence, keyEvidence } from './webhook/keys.ts';
import { ALL_EVENTS } from './webhook/wanted.ts';

/** Has a delivery with the right key arrived? Ticks off what was seen: the PING, and each of the ten events. */
export function checkProof(deps: OnboardingDeps) {
  return async ({ tenantId }: StepInput): Promise<StepResult> => {
    const asked = questions(deps.now);
    try {
      const found = await keyEvidence(deps, tenantId);
      tickOff(found, asked);
      if (found.accepted.length === 0) return needsYou([nothingSeen(found)], asked.evidence);
      const events = found.accepted.some((it) => it.type !== PING);
      return done(asked.evidence, events ? [] : [problem('no_event_yet')]);
    } catch (error) {
      return resultOf(error, asked);
    }
  };
}

const nothingSeen = ({ wrongAt }: KeyEvidence): Problem =>
  wrongAt ? problem('webhook_key_wrong', { header: WEBHOOK_KEY_HEADER }) : problem('webhook_ping_missing');

function tickOff({ accepted, wrongAt }: KeyEvidence, asked: Questions): void {
  for (const type of [PING, ...ALL_EVENTS]) asked.note(type, seen(accepted.filter((it) => it.type === type)));
  if (wrongAt) asked.note('Deliveries with a wrong key', `the last at ${wrongAt.toISOString()}`);
}

function seen(sightings: readonly Sighting[]): string {
  if (sightings.length === 0) return 'not seen yet';
  const first = Math.min(...sightings.map((it) => it.firstAt.getTime()));
  return `first seen at ${new Date(first).toISOString()}`;
}
