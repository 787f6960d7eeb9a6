import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findTemporalCli } from '../../dev/temporal-cli.ts';
import { DevWorld, REAL } from '../support/dev-world.ts';
import { audit, Pipeline, type Pipeline as PipelineType, placesOf, type Status } from '../support/pipeline.ts';

/** What `npm start` runs, with an organization that does nothing by itself. */
async function startWorld(): Promise<{ world: DevWorld; pipeline: PipelineType }> {
  const world = (await DevWorld.make({ SIMULATOR_RATE: '0' }, REAL)).start();
  await world.saying('Idiomatic for Gladly runs', 150_000);
  const pipeline = new Pipeline(() => placesOf(world.dataDir));
  await pipeline.when('the demo tenant is connected', ({ onboarding }) => onboarding?.state === 'done');
  return { world, pipeline };
}

const isSettled = ({ events }: Status) => events.waiting === 0 && events.inQueue === 0;
const stateOf = ({ extraction }: Status) => extraction?.state;
const isAtWork = (status: Status) => ['running', 'parked'].includes(stateOf(status) ?? '');

async function expectAllStored(pipeline: PipelineType, count: number): Promise<void> {
  await pipeline.when('everything is extracted', isSettled, 120_000);
  const found = await audit(pipeline);
  expect(found).toMatchObject({ delivered: count, lost: [], invented: [], wrong: [], states: { extracted: count } });
}

/** The signal button of Temporal UI does what this command does. */
async function signal(world: DevWorld, name: string, input?: object): Promise<void> {
  const cli = await findTemporalCli({ env: process.env, say: () => undefined });
  const given = input ? ['--input', JSON.stringify(input)] : [];
  const address = `127.0.0.1:${world.port('TEMPORAL_PORT')}`;
  await promisify(execFile)(cli, [
    ...['workflow', 'signal', '--address', address, '--workflow-id', 'extraction/demo', '--name', name],
    ...given,
  ]);
}

describe('the main job, as npm start runs it', { timeout: 300_000 }, () => {
  test('500 events, stopped half-way from outside, and gone on with: all of them once, each conversation as Gladly has it', async () => {
    const { world, pipeline } = await startWorld();
    await pipeline.emit(500);
    await pipeline.when('some are extracted', ({ events }) => events.extracted >= 100);
    await signal(world, 'pause', { by: 'ann', reason: 'half-way' });
    const paused = await pipeline.when('paused', (status) => stateOf(status) === 'paused', 5_000);
    expect(paused.extraction?.pause).toMatchObject({ by: 'ann', reason: 'half-way' });
    expect(paused.events.extracted).toBeLessThan(500);
    await sleep(3_000);
    expect((await pipeline.status()).events.extracted).toBe(paused.events.extracted);
    await signal(world, 'resume');
    await expectAllStored(pipeline, 500);
  });

  test('the worker killed with SIGKILL in the middle of a drain: the same', async () => {
    const { world, pipeline } = await startWorld();
    await pipeline.emit(300);
    for (const extracted of [40, 120]) {
      await pipeline.when(`${extracted} are extracted`, ({ events }) => events.extracted >= extracted);
      process.kill(world.pidOf('worker'), 'SIGKILL');
    }
    await expectAllStored(pipeline, 300);
  });

  test('stopped while paused, and started again: still paused, and the events are still there', async () => {
    const { world, pipeline } = await startWorld();
    const asked = await pipeline.ask('POST', '/v1/tenants/demo/pause', { reason: 'over night' });
    expect(asked.status).toBe(202);
    await pipeline.when('paused', (status) => stateOf(status) === 'paused', 5_000);
    await pipeline.emit(60);
    await pipeline.when('all wait in SQS', ({ events }) => events.inQueue === 60);
    world.signal('SIGINT');
    expect(await world.ended()).toBe(0);

    world.start();
    await world.saying('Idiomatic for Gladly runs', 60_000);
    const status = await pipeline.when('the status answers', ({ events }) => events.inQueue !== null);
    expect(stateOf(status)).toBe('paused');
    expect(status.extraction?.pause).toMatchObject({ by: 'operator', reason: 'over night' });
    expect(status.events).toMatchObject({ inQueue: 60, extracted: 0, waiting: 0 });
    expect((await pipeline.ask('POST', '/v1/tenants/demo/resume', {})).status).toBe(202);
    // The worker may still be starting: nothing waits for it.
    await pipeline.when('at work', isAtWork, 60_000);
    await expectAllStored(pipeline, 60);
  });
});
