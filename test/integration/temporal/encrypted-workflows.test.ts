import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTemporalCli } from '../../../dev/temporal-cli.ts';
import {
  type DrainResult,
  EXTRACTION_WORKFLOW,
  type ExtractionInput,
  type ExtractionStatus,
  type ExtractionTuning,
  extractionStatusQuery,
  pauseSignal,
  resumeSignal,
} from '../../../src/contracts/extraction.ts';
import { EXTRACTION_TASK_QUEUE, extractionWorkflowId } from '../../../src/contracts/tenant.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { createPayloadCodec } from '../../../src/temporal/payload-codec.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

const run = promisify(execFile);
const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const k1 = secret('k1');
const k2 = secret('k2');
const tuning: ExtractionTuning = {
  parkedLookMs: 3_600_000,
  gladlyWaitMs: 1_000,
  gladlyWaitMaxMs: 8_000,
  attentionLookMs: 900_000,
  continueAsNewAfter: 1_000,
  consoleUrl: 'https://idiomatic.example/console/tenants',
};
const PARKED: DrainResult = {
  end: { kind: 'parked', lookAgainMs: null },
  counts: { takenIn: 5, extracted: 5, gone: 0, rejected: 0, calls: 1 },
  waiting: 3,
};

let env: TestWorkflowEnvironment;
let cli: string;
beforeAll(async () => {
  env = await createTestEnvironment();
  cli = await findTemporalCli({ env: process.env, say: () => undefined });
});
afterAll(() => env?.teardown());

const clientWith = (...keys: ReturnType<typeof secret>[]) =>
  new Client({
    connection: env.connection,
    namespace: env.namespace ?? 'default',
    ...(keys.length > 0 ? { dataConverter: createDataConverter(keys) } : {}),
  });

/** Runs what `test` says beside a worker with these keys, whose drains do as `drain` says. */
async function beside<T>(
  keys: ReturnType<typeof secret>[],
  test: () => Promise<T>,
  drain = async () => PARKED,
): Promise<T> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue: EXTRACTION_TASK_QUEUE,
    workflowBundle: await workflowBundle(),
    dataConverter: createDataConverter(keys),
    activities: { drain, recordExtraction: async () => ({ before: null }), orderStop: async () => undefined },
  });
  return worker.runUntil(test);
}

let count = 0;
/** As the onboarding starts it. */
async function start(client: Client): Promise<WorkflowHandle> {
  count += 1;
  const tenantId = `acme-${count}`;
  await new TenantWorkflows(client).startExtraction({ version: 1, tenantId, tuning });
  return client.workflow.getHandle(extractionWorkflowId(tenantId));
}

async function when(handle: WorkflowHandle, wanted: (status: ExtractionStatus) => boolean): Promise<ExtractionStatus> {
  for (;;) {
    const status = await handle.query(extractionStatusQuery);
    if (wanted(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Every text and every byte that Temporal has of it, as one. */
function allTextIn(value: unknown): string {
  if (typeof value === 'string') return `${value}\n`;
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('utf8')}\n`;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(allTextIn).join('');
}

async function decrypted(payload: Payload | null | undefined): Promise<unknown> {
  const [plain] = await createPayloadCodec([k2, k1]).decode([payload ?? {}]);
  return defaultPayloadConverter.fromPayload(plain ?? {});
}

describe('encrypted workflows', () => {
  it('leave nothing to read in a history but what lists are filtered by', async () => {
    const client = clientWith(k1);
    await beside([k1], async () => {
      const handle = await start(client);
      await when(handle, ({ phase }) => phase === 'parked');
      await handle.signal(pauseSignal, { by: 'ann', reason: 'the-reason' });
      await when(handle, ({ phase }) => phase === 'paused');
      const { events } = await handle.fetchHistory();
      const text = allTextIn(events);
      for (const hidden of ['the-reason', 'ann', 'takenIn', 'parkedLookMs', 'Extracts the conversations', 'Parked:']) {
        expect(text).not.toContain(hidden);
      }
      expect(text).toContain('paused');
      const timer = events?.find(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
      expect(await decrypted(timer?.userMetadata?.summary)).toBe('Parked: waits for the next event');
      const activity = events?.find(({ activityTaskScheduledEventAttributes: it }) => it);
      expect(await decrypted(activity?.userMetadata?.summary)).toBe('Take in and extract what waits');
      expect(await decrypted(events?.[0]?.userMetadata?.summary)).toMatch(/^Extracts the conversations of acme-/);
      expect(await decrypted(events?.[0]?.userMetadata?.details)).toContain('**pause**');
    });
  });

  it('encrypt failures too', async () => {
    const client = clientWith(k1);
    const fails = async (): Promise<DrainResult> => {
      throw new Error('connection to secret-host refused');
    };
    await beside(
      [k1],
      async () => {
        const handle = await start(client);
        for (;;) {
          const { pendingActivities } = (await handle.describe()).raw;
          const failure = pendingActivities?.[0]?.lastFailure;
          if (!failure) continue;
          expect(allTextIn(failure)).not.toContain('secret-host');
          expect(failure.message).toBe('Encoded failure');
          expect(await decrypted(failure.encodedAttributes)).toMatchObject({
            message: 'connection to secret-host refused',
          });
          return;
        }
      },
      fails,
    );
  });

  it('obey what a person types: plain JSON from the Temporal CLI, whatever it is', async () => {
    const client = clientWith(k1);
    const signal = (id: string, name: string, ...input: string[]) =>
      run(cli, [
        ...['workflow', 'signal', '--address', env.address, '--namespace', env.namespace ?? 'default'],
        ...['--workflow-id', id, '--name', name, ...input.flatMap((one) => ['--input', one])],
      ]);
    await beside([k1], async () => {
      const handle = await start(client);
      await when(handle, ({ phase }) => phase === 'parked');
      await signal(handle.workflowId, 'pause', '{"by":"ann","reason":"moving"}');
      const paused = await when(handle, ({ phase }) => phase === 'paused');
      expect(paused.pause).toMatchObject({ by: 'ann', reason: 'moving' });
      await signal(handle.workflowId, 'resume', '{"by":"ann"}');
      await when(handle, ({ pause }) => pause === null);

      for (const strange of ['"stop it"', '5', 'null', '[]', '{"by":7,"reason":{"a":1}}', '{"by":"  "}']) {
        await signal(handle.workflowId, 'pause', strange);
        const { pause } = await when(handle, (status) => status.pause !== null);
        expect(pause).toMatchObject({ by: 'somebody in Temporal', reason: 'no reason given' });
        await signal(handle.workflowId, 'resume');
        await when(handle, (status) => status.pause === null);
      }
      await signal(handle.workflowId, 'warn', '{"code":"nonsense"}');
      await signal(handle.workflowId, 'warn', '{"code":"events_expire"}');
      await signal(handle.workflowId, 'pausee', '{"by":"ann"}');
      const { warning } = await when(handle, ({ lastUnknownSignal }) => lastUnknownSignal === 'pausee');
      expect(warning).toBeNull();
    });
  });

  it('go on from a history that was never encrypted', async () => {
    const plain = clientWith();
    const input: ExtractionInput = { version: 1, tenantId: 'old', tuning };
    const handle = await plain.workflow.start(EXTRACTION_WORKFLOW, {
      workflowId: extractionWorkflowId('old'),
      taskQueue: EXTRACTION_TASK_QUEUE,
      args: [input],
    });
    await handle.signal(pauseSignal, { by: 'ann', reason: 'before the keys' });
    await beside([k1], async () => {
      const encrypted = clientWith(k1).workflow.getHandle(handle.workflowId);
      const { pause } = await when(encrypted, ({ phase }) => phase === 'paused');
      expect(pause).toMatchObject({ reason: 'before the keys' });
      await encrypted.signal(resumeSignal, { by: 'bob', reason: '' });
      await when(encrypted, ({ phase }) => phase === 'parked');
    });
  });

  it('go on, and replay, after the keys were changed', async () => {
    const handle = await start(clientWith(k1));
    await beside([k1], () => when(handle, ({ phase }) => phase === 'parked'));
    const later = clientWith(k2, k1).workflow.getHandle(handle.workflowId);
    await beside([k2, k1], async () => {
      await later.signal(pauseSignal, { by: 'ann', reason: 'new key' });
      expect((await when(later, ({ phase }) => phase === 'paused')).pause).toMatchObject({ reason: 'new key' });
    });
    const history = await later.fetchHistory();
    const replay = (...keys: ReturnType<typeof secret>[]) =>
      workflowBundle().then((bundle) =>
        Worker.runReplayHistory(
          { workflowBundle: bundle, dataConverter: createDataConverter(keys) },
          history,
          handle.workflowId,
        ),
      );
    await replay(k2, k1);
    await expect(replay(k2)).rejects.toThrow();
  });
});
