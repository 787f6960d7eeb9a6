import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { inject } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { bundleOptions } from '../../src/temporal/bundle-options.ts';

/** How long the server of the run may take to start on a busy machine. */
const SERVER_STARTS_MS = 30_000;

/**
 * A namespace of its own on the run's Temporal server, or on the one at `address`, with our search attributes: tests of different files never take each other's
 * tasks. Close it with `teardown()`.
 */
export async function createTestEnvironment(address = inject('temporalAddress')): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  await registerNamespace(await connect(address), namespace);
  return await TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
}

let quiet = false;
/** Temporal's own log of a run is long; what goes wrong is an exception as well. */
function quietRuntime(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}

async function connect(address: string): Promise<Connection> {
  const until = Date.now() + SERVER_STARTS_MS;
  for (;;) {
    try {
      return await Connection.connect({ address, connectTimeout: 1_000 });
    } catch (error) {
      if (Date.now() > until) throw error;
      await delay(100);
    }
  }
}

async function registerNamespace(connection: Connection, namespace: string): Promise<void> {
  const types = { KEYWORD: 2, DATETIME: 6 } as const;
  const searchAttributes = Object.fromEntries(
    Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [
      name,
      type === 'DATETIME' ? types.DATETIME : types.KEYWORD,
    ]),
  );
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  await connection.close();
}

/** The project's workflows, bundled once for the run (3 s on two cores). */
export async function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  const file = join(inject('sharedFolder'), 'workflows.js');
  if (!existsSync(file)) {
    const { code } = await bundleWorkflowCode({ ...bundleOptions, logger: new DefaultLogger('ERROR') });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, code);
    await rename(draft, file);
  }
  return { code: await readFile(file, 'utf8'), sourceMap: '' };
}
