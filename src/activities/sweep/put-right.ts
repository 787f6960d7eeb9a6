import { isDeepStrictEqual } from 'node:util';
import type { OnboardingTunings } from '../../contracts/onboarding.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import { extractionWorkflowId, onboardingWorkflowId } from '../../contracts/tenant.ts';
import { missingKeyIn } from '../../crypto/aead.ts';
import { recordAction } from '../../store/actions.ts';
import type { Db } from '../../store/db.ts';
import type { PlaceFacts } from '../../store/tenant-states.ts';
import { getTenant } from '../../store/tenants.ts';
import type { Logger } from '../../telemetry/log.ts';
import { isOfWorkflows } from '../../tenants/finding-kinds.ts';
import { recordWorkflows } from '../../tenants/findings.ts';
import { onboardingInput } from '../../tenants/tuning.ts';
import type { Examined, Survey, TenantWorkflows } from '../../tenants/workflows.ts';
import { logFindings } from '../log-findings.ts';

export interface PutRightDeps {
  readonly db: Db;
  readonly workflows: Pick<
    TenantWorkflows,
    | 'survey'
    | 'examine'
    | 'terminate'
    | 'startOnboarding'
    | 'startExtraction'
    | 'cancel'
    | 'submitCredentials'
    | 'tuneOnboarding'
    | 'tuneExtraction'
  >;
  readonly tunings: OnboardingTunings;
  /** False when this process does not have the key of what is stored of a tenant. */
  opens(tenantId: string): Promise<boolean>;
  readonly log: Logger;
  readonly now: () => Date;
}

type Which = 'onboarding' | 'extraction';

/**
 * A tenant's two workflows against what is stored of it, whatever was done to them in Temporal: what was terminated, cancelled, deleted or lost is begun
 * anew and knows from the store what its predecessor knew, a pause above all; what was asked for and did not arrive is asked once more; what a person
 * has to mend is written down. A tenant that is well costs no call. `isSilent`: a drain of it should be at work, and none is.
 */
export async function putRight(
  deps: PutRightDeps,
  facts: PlaceFacts,
  survey: Survey,
  isSilent: boolean,
): Promise<void> {
  const { db, workflows, tunings, log } = deps;
  const { tenantId } = facts.tenant;
  const known = facts.findings.some(isOfWorkflows);
  const look = async (workflowId: string, isSuspect: boolean): Promise<Examined> =>
    isSuspect || known || survey.reported.has(workflowId) || !survey.open.has(workflowId)
      ? await workflows.examine(workflowId, { stoodStill: known })
      : { state: 'well' };

  const onboarding = await look(onboardingWorkflowId(tenantId), isCheckingForLong(facts, deps.now()));
  const mayExtract = facts.tenant.state === 'connected' && !isEnding(facts);
  const extraction = mayExtract ? await look(extractionWorkflowId(tenantId), isSilent) : ({ state: 'well' } as const);

  if (onboarding.state === 'ended' || extraction.state === 'ended') {
    // It may have ended since the facts were read.
    const tenant = await getTenant(db, tenantId);
    if (tenant === null || (tenant.state !== 'connected' && tenant.state !== 'connecting')) return;
  }
  // One that was never heard of is still being created, by somebody who knows whether it starts paused.
  if (onboarding.state === 'ended' && facts.onboarding !== null) await restart('onboarding', onboarding.how);
  if (extraction.state === 'ended') await restart('extraction', extraction.how);
  const isReplaced = await askAgain(deps, facts, onboarding);
  const found = [problemOf('extraction', extraction), isReplaced ? null : problemOf('onboarding', onboarding)].find(
    (one) => one !== null,
  );
  if (known || found) logFindings(log, tenantId, await recordWorkflows(db, tenantId, found ?? null));

  async function restart(which: Which, how: string): Promise<void> {
    if (!(await mayBegin(deps, tenantId))) return;
    const pause = facts.extraction?.pause;
    if (which === 'onboarding') await workflows.startOnboarding(onboardingInput(facts.tenant, tunings, null));
    else
      await workflows.startExtraction({
        version: 1,
        tenantId,
        tuning: tunings.extraction,
        ...(pause ? { pause } : {}),
      });
    const details = { workflow: which, how };
    await recordAction(db, { tenantId, at: deps.now(), by: 'system', action: 'restart', reason: null, details });
    log.error(
      { event: 'workflow.restarted', tenantId, ...details },
      'workflow: did not run any more, and was begun anew',
    );
  }
}

/** What a worker with other keys begins is sealed under them, and no other worker could go on with it. */
async function mayBegin({ opens, log }: PutRightDeps, tenantId: string): Promise<boolean> {
  if (await opens(tenantId)) return true;
  log.error(
    { event: 'workflow.not_restarted', tenantId },
    'workflow: SECRET_KEYS of this worker does not open what is stored of the tenant, so it begins nothing anew',
  );
  return false;
}

/** A check of a step takes seconds, and says so when Gladly does not answer: one that has lasted for so long, in ms, fails in a way of its own. */
const CHECK_MS = 120_000;

const isCheckingForLong = ({ onboarding }: PlaceFacts, now: Date): boolean =>
  onboarding?.state === 'in_progress' &&
  onboarding.steps.some(({ state, since }) => state === 'checking' && now.getTime() - Date.parse(since) > CHECK_MS);

/** It is being disconnected: its extraction ends, or has. */
const isEnding = ({ tenant, onboarding }: PlaceFacts): boolean =>
  tenant.disconnectAsked !== null || onboarding?.state === 'cancelling';

/**
 * What was asked for and is not to be seen in the workflow: its signal was lost, or the workflow stands still. True when a standing onboarding was
 * ended by force and begun anew, for only that one can disconnect the tenant.
 */
async function askAgain(deps: PutRightDeps, facts: PlaceFacts, how: Examined): Promise<boolean> {
  const { workflows, tunings } = deps;
  const { tenant, onboarding, onboardingTuning, extraction, extractionTuning } = facts;
  const { tenantId, disconnectAsked, credentialsVersion } = tenant;
  const isStanding = how.state === 'wedged' || how.state === 'paused';
  const isReplaced = disconnectAsked !== null && isStanding && (await mayBegin(deps, tenantId));
  if (isReplaced) {
    await workflows.terminate(
      onboardingWorkflowId(tenantId),
      'The tenant is to be disconnected, and this stands still',
    );
    await workflows.startOnboarding(onboardingInput(tenant, tunings, null));
  }
  if (disconnectAsked !== null && (isReplaced || onboarding?.cancel == null))
    await workflows.cancel(tenantId, disconnectAsked);
  if (onboarding !== null && credentialsVersion > onboarding.credentialsVersion)
    await workflows.submitCredentials(tenantId, { version: credentialsVersion });
  if (onboardingTuning !== null && !isDeepStrictEqual(onboardingTuning, tunings))
    await workflows.tuneOnboarding(tenantId, tunings);
  if (extraction !== null && extractionTuning !== null && !isDeepStrictEqual(extractionTuning, tunings.extraction))
    await workflows.tuneExtraction(tenantId, tunings.extraction);
  return isReplaced;
}

function problemOf(workflow: Which, examined: Examined): Problem | null {
  if (examined.state === 'paused') return problem('workflow_paused', { workflow, what: examined.what });
  if (examined.state !== 'wedged') return null;
  const id = missingKeyIn(examined.reason);
  if (id !== null) return problem('key_missing', { workflow, id });
  return problem('workflow_wedged', { workflow, reason: examined.reason });
}
