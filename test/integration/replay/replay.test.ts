import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import * as extractionContract from '../../../src/contracts/extraction.ts';
import {
  type DrainEnd,
  type DrainMode,
  type ExtractionActivities,
  type ExtractionPhase,
  renewSignal,
} from '../../../src/contracts/extraction.ts';
import * as onboardingContract from '../../../src/contracts/onboarding.ts';
import {
  type OnboardingActivities,
  type OnboardingState,
  STEPS,
  type StepResult,
} from '../../../src/contracts/onboarding.ts';
import type { SweepActivities } from '../../../src/contracts/sweep.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { workflowBundle } from '../../support/temporal.ts';
import { goesThrough } from './covered.ts';
import { historyKeys } from './keys.ts';

const FOLDER = join(import.meta.dirname, 'histories');
const dataConverter = createDataConverter(historyKeys);
const scenarios = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''));

const historyOf = (scenario: string) =>
  historyFromJSON(JSON.parse(readFileSync(join(FOLDER, `${scenario}.json`), 'utf8')));

const all = <Name extends string>(what: string, names: Record<Name, true>): string[] =>
  Object.keys(names).map((name) => `${what} ${name}`);
const signalsOf = (contract: object): string[] =>
  Object.values(contract).flatMap(({ type, name }) => (type === 'signal' ? [`signal ${name}`] : []));
const EVERY = [
  'continued as new',
  'a task that failed',
  'a signal that cannot be read',
  'an activity cancelled',
  'a reset',
  'ended',
];

/** All that a workflow can go through. What is new in a type does not compile here until it is named, and then wants a history. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  extraction: [
    ...EVERY,
    'begun paused',
    ...all<Exclude<ExtractionPhase, 'parked'>>('state', {
      running: true,
      pausing: true,
      paused: true,
      waiting_for_gladly: true,
      needs_attention: true,
      disconnected: true,
    }),
    // A drain that is at work is never carried, and what is disconnected has ended.
    ...all<Exclude<ExtractionPhase, 'pausing' | 'disconnected'>>('carried', {
      running: true,
      parked: true,
      paused: true,
      waiting_for_gladly: true,
      needs_attention: true,
    }),
    ...all<DrainEnd['kind']>('drain ended:', {
      parked: true,
      budget_spent: true,
      stopped: true,
      waiting_for_gladly: true,
      needs_attention: true,
    }),
    ...all<DrainMode>('drain', { full: true, take_in_only: true }),
    'drain full, a probe',
    ...all<keyof ExtractionActivities>('activity', { drain: true, recordExtraction: true, orderStop: true }),
    'activity recordExtraction failed',
    ...signalsOf(extractionContract),
  ],
  onboarding: [
    ...EVERY,
    ...STEPS.map((step) => `state ${step}`),
    ...all<Exclude<OnboardingState, 'in_progress'>>('state', { done: true, cancelling: true, cancelled: true }),
    ...all<Exclude<OnboardingState, 'cancelled'>>('carried', { in_progress: true, done: true, cancelling: true }),
    'carried a step that is needs_you',
    ...all<StepResult['kind']>('step:', { done: true, retry: true, needs_you: true }),
    ...all<StepResult['kind']>('disconnect:', { done: true, retry: true, needs_you: true }),
    ...all<keyof OnboardingActivities>('activity', {
      provision: true,
      checkDomain: true,
      checkToken: true,
      checkRoles: true,
      checkWebhook: true,
      checkProof: true,
      startExtraction: true,
      removeTraces: true,
      recordOnboarding: true,
    }),
    // The contract of extraction has those that both have.
    ...signalsOf({ ...onboardingContract, renewSignal }),
  ],
  sweep: [...all<keyof SweepActivities>('activity', { watchTenants: true, prune: true }), 'ended'],
};

/** What a deploy would do to a workflow that is where this history ends. Rejects when its code does something else than it did. */
async function replay(bundle: { readonly code: string }, scenario: string): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter }, historyOf(scenario), scenario);
}

describe('stored histories', { timeout: 60_000 }, () => {
  let genuine: WorkflowBundleWithSourceMap;
  let broken: WorkflowBundleWithSourceMap;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    genuine = await workflowBundle();
    const workflowsPath = join(import.meta.dirname, 'broken-twin.ts');
    broken = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  });

  test.each(Object.entries(WAYS))(
    'of the workflow %s there are, through all that it can go',
    async (workflow, ways) => {
      const mine = scenarios.filter((scenario) => scenario.split('-')[0] === workflow);
      const gone = await Promise.all(mine.map(async (scenario) => [...(await goesThrough(historyOf(scenario)))]));
      const found = new Set(gone.flat());
      expect(ways.filter((way) => !found.has(way))).toEqual([]);
    },
  );

  test.each(scenarios)('%s replays', async (scenario) => {
    await replay(genuine, scenario);
  });

  test.each(scenarios)('%s does not replay on the broken twin: the gate can fail', async (scenario) => {
    await expect(replay(broken, scenario)).rejects.toThrow(/nondeterminism|determinism/i);
  });
});
