import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findTemporalCli } from '../../dev/temporal-cli.ts';
import { freePort } from './free-port.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** host:port of the run's Temporal server, which may still be starting. */
    readonly temporalAddress: string;
    /** For what one test file makes and the others use too. */
    readonly sharedFolder: string;
  }
}

/** A Temporal takes 1.2 s to start (measured), and 1.1 s to stop in order, which nobody needs here. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cli = await findTemporalCli({ env: process.env, say: (line) => process.stderr.write(`${line}\n`) });
  const port = await freePort();
  const sharedFolder = await mkdtemp(join(tmpdir(), 'test-run-'));
  const server = startTemporal(cli, port, [
    // Temporal UI's own Pause, which a cluster may have on.
    'frontend.WorkflowPauseEnabled=true',
    // A workflow task that fails is reported after 10 s, and not after a minute.
    'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2',
  ]);
  project.provide('temporalAddress', `127.0.0.1:${port}`);
  project.provide('sharedFolder', sharedFolder);
  return async () => {
    const exited = server.exitCode === null ? once(server, 'exit') : null;
    server.kill('SIGKILL');
    await exited;
    await rm(sharedFolder, { recursive: true, force: true });
  };
}

/** A Temporal of its own, with these values of its dynamic configuration, `name=value`. */
export function startTemporal(cli: string, port: number, settings: readonly string[]): ChildProcess {
  const address = ['--ip', '127.0.0.1', '--port', String(port), '--headless'];
  const dynamic = settings.flatMap((setting) => ['--dynamic-config-value', setting]);
  return spawn(cli, ['server', 'start-dev', ...address, ...dynamic, '--log-level', 'never'], { stdio: 'ignore' });
}
