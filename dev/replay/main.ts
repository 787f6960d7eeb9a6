/**
 * `npm run replay -- --from HOST:PORT [--namespace NAME] [--newest 20]`: does this commit fit the histories of a running cluster? SECRET_KEYS as the
 * workers there have it. Exits with 1 when one does not fit, or there is none.
 */
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readConfig } from '../../src/config.ts';
import { EXTRACTION_WORKFLOW } from '../../src/contracts/extraction.ts';
import { ONBOARDING_WORKFLOW } from '../../src/contracts/onboarding.ts';
import { SWEEP_WORKFLOW } from '../../src/contracts/sweep.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { workflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { replayFrom } from './replay-from.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    newest: { type: 'string', default: '20' },
  },
});
const newest = Number(values.newest);
if (values.from === undefined || !Number.isSafeInteger(newest) || newest < 1) {
  process.stderr.write('Usage: npm run replay -- --from HOST:PORT [--namespace NAME] [--newest 20]\n');
  process.exit(2);
}
Runtime.install({ logger: new DefaultLogger('ERROR') });
const { SECRET_KEYS } = readConfig(
  { ...process.env, DATABASE_URL: process.env['DATABASE_URL'] ?? 'postgres://unused' },
  'worker',
);
const dataConverter = createDataConverter(SECRET_KEYS);
const connection = await Connection.connect({ address: values.from });
const client = new Client({ connection, namespace: values.namespace, dataConverter });
const options = {
  dataConverter,
  workflowBundle: await workflowBundle(),
  types: [ONBOARDING_WORKFLOW, EXTRACTION_WORKFLOW, SWEEP_WORKFLOW],
  newest,
};
const counts = { fit: 0, wrong: 0 };
for await (const { workflowId, runId, status, error } of replayFrom(client, options)) {
  if (error === null) counts.fit += 1;
  else counts.wrong += 1;
  if (error !== null) process.stdout.write(`${workflowId} ${runId} ${status}: ${error}\n`);
}
await connection.close();
process.stdout.write(`${counts.fit} histories fit this commit, ${counts.wrong} do not\n`);
process.exit(counts.wrong === 0 && counts.fit > 0 ? 0 : 1);
