/**
 * `node test/integration/replay/record.ts`: plays the scenarios and stores the histories that Temporal kept. Run it when a workflow's commands were
 * changed on purpose, behind a patch: the old histories stay, new ones are added beside them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ExtractionActivities } from '../../../src/contracts/extraction.ts';
import { freePort } from '../../support/free-port.ts';
import { bundleWith } from '../../support/next-release.ts';
import { startDeployedWorld } from '../../support/onboarding/deployed.ts';
import { startTemporalProcess } from '../../support/onboarding/processes.ts';
import { HISTORY_KEYS } from './keys.ts';
import { LAST, SCENARIOS, type Stage, WRONG } from './scenarios.ts';

const FOLDER = join(import.meta.dirname, 'histories');
Runtime.install({ logger: new DefaultLogger('ERROR') });

const scratch = mkdtempSync(join(tmpdir(), 'recording-'));
const port = await freePort();
const server = await startTemporalProcess(port, join(scratch, 'temporal.db'));
const temporal = await TestWorkflowEnvironment.createFromExistingServer({ address: `127.0.0.1:${port}` });
const [own, wrong] = await Promise.all([bundleWith([]), bundleWith(WRONG)]);
const unwritable = new Set<string>();
const later = ({ recordExtraction }: ExtractionActivities): Partial<ExtractionActivities> => ({
  recordExtraction: async (projection) => {
    if (unwritable.has(projection.tenantId)) throw new Error('Postgres takes no write.');
    return await recordExtraction(projection);
  },
});
const it = await startDeployedWorld(
  { this: { workflows: own, later }, wrong: { workflows: wrong } },
  SCENARIOS.length + LAST.length,
  { env: { SECRET_KEYS: HISTORY_KEYS, DRAIN_BUDGET_MS: '2000' }, temporal },
);

/** What no replay reads. */
const UNREAD = new Set(['taskId', 'identity', 'requestId', 'workerVersion', 'historySizeBytes', 'userMetadata']);

const stored = new Set<string>();
const store: Stage['store'] = async (scenario, { workflowId }) => {
  const runs: object[][] = [];
  for (let runId = await atRest(workflowId); runId !== ''; ) {
    if (stored.has(runId)) break;
    stored.add(runId);
    const history = await it.client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.unshift(JSON.parse(historyToJSON(history)).events);
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
  }
  for (const [i, events] of runs.entries()) {
    const name = runs.length === 1 ? scenario : `${scenario}-${i + 1}`;
    const lines = events
      .map((event) => JSON.stringify(event, (name, value) => (UNREAD.has(name) ? undefined : value)))
      .join(',\n');
    writeFileSync(join(FOLDER, `${name}.json`), `{"events":[\n${lines}\n]}\n`);
    process.stdout.write(`${name}: ${events.length} events\n`);
  }
};

/** Its newest run, as soon as nothing of it is under way. */
async function atRest(workflowId: string): Promise<string> {
  for (let before = ''; ; await sleep(700)) {
    const { runId, historyLength, raw } = await it.client.workflow.getHandle(workflowId).describe();
    const now = `${runId} ${historyLength}`;
    if (now === before && !raw.pendingWorkflowTask && !raw.pendingActivities?.length) return runId;
    before = now;
  }
}

const stage = { it, store, unwritable };
try {
  await it.deploy('this');
  await Promise.all(SCENARIOS.map((play) => play(stage)));
  for (const play of LAST) await play(stage);
} finally {
  await it.close();
  await server.kill();
  rmSync(scratch, { recursive: true, force: true });
}
