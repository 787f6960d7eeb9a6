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
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { workflowBundle } from '../../support/temporal.ts';
import { historyKeys } from './keys.ts';

const FOLDER = join(import.meta.dirname, 'histories');
const dataConverter = createDataConverter(historyKeys);
const scenarios = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''));

/** What a deploy would do to a workflow that is where this history ends. Rejects when its code does something else than it did. */
async function replay(bundle: { readonly code: string }, scenario: string): Promise<void> {
  const history = historyFromJSON(JSON.parse(readFileSync(join(FOLDER, `${scenario}.json`), 'utf8')));
  await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter }, history, scenario);
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

  test('are there, of every workflow and every turn it can take', () => {
    expect(scenarios).toEqual(
      expect.arrayContaining([
        'extraction-disconnected',
        'extraction-run-1',
        'extraction-run-2',
        'onboarding-straight',
        'onboarding-with-faults-1',
        'sweep',
      ]),
    );
  });

  test.each(scenarios)('%s replays', async (scenario) => {
    await replay(genuine, scenario);
  });

  test.each(scenarios)('%s does not replay on the broken twin: the gate can fail', async (scenario) => {
    await expect(replay(broken, scenario)).rejects.toThrow(/nondeterminism|determinism/i);
  });
});
