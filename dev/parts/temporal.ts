/**
 * Runs alone, as a process of the embedded world: the keeper of a Temporal server, which ends with its keeper, and the keeper with
 * the supervisor. Arguments: data folder, port, UI port, folder for the pid file, the Temporal CLI, the API's address.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { exitWithParent } from '../../src/roles/parent.ts';
import { freePort } from '../ports.ts';
import { RunFolder } from '../run-folder.ts';
import { serveTemporalUi } from '../temporal-ui.ts';

/** Temporal 1.32 takes 1.1 s to stop in order (measured); its SQLite file survives SIGKILL as well. */
const STOP_MS = 1_500;

/** The server tells a worker by itself that an activity is cancelled, instead of with its next heartbeat. Benchmarks try it without. */
const WORKER_COMMANDS =
  process.env['TEMPORAL_WORKER_COMMANDS'] === 'false'
    ? []
    : ['frontend.WorkerCommandsEnabled=true', 'system.enableCancelActivityWorkerCommand=true'];

/** What the extraction workflow shows of itself in Temporal UI, and operators filter by. */
const SEARCH_ATTRIBUTES = ['TenantId=Keyword', 'State=Keyword', 'Problem=Keyword', 'PausedSince=Datetime'];

const [folder, port, uiPort, dataDir, cli, apiUrl] = process.argv.slice(2);
if (!folder || !port || !uiPort || !dataDir || !cli || !apiUrl)
  throw new Error('usage: temporal.ts FOLDER PORT UI_PORT DATA_DIR CLI API_URL');

exitWithParent();
mkdirSync(folder, { recursive: true });
const innerUiPort = await freePort();
/** Benchmarks read from there what the server was asked. */
const metricsPort = process.env['TEMPORAL_METRICS_PORT'];
const server = spawn(
  cli,
  [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', port, '--ui-port', String(innerUiPort)],
    ...['--ui-disable-news-fetch', '--ui-codec-endpoint', `${apiUrl}/codec`],
    ...['--db-filename', join(folder, 'temporal.db'), '--log-level', 'warn'],
    ...(metricsPort ? ['--metrics-port', metricsPort] : []),
    ...WORKER_COMMANDS.flatMap((setting) => ['--dynamic-config-value', setting]),
    ...SEARCH_ATTRIBUTES.flatMap((attribute) => ['--search-attribute', attribute]),
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
if (server.pid !== undefined) new RunFolder(dataDir).note('temporal', server.pid);

serveTemporalUi({ port: Number(uiPort), innerPort: innerUiPort, apiUrl }).once('error', (error) => {
  process.stderr.write(`Temporal UI cannot be served on port ${uiPort}: ${error.message}\n`);
  server.kill('SIGTERM');
});

let stopping = false;
server.once('error', (error) => {
  process.stderr.write(`the Temporal CLI ${cli} does not start: ${error.message}\n`);
  process.exit(1);
});
server.once('exit', (code, signal) => {
  if (!stopping) process.stderr.write(`the Temporal server ended by itself: ${signal ?? `exit code ${code}`}\n`);
  process.exit(stopping ? 0 : 1);
});
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, stop);

function stop(): void {
  if (stopping) return;
  stopping = true;
  server.kill('SIGTERM');
  setTimeout(() => server.kill('SIGKILL'), STOP_MS).unref();
}
