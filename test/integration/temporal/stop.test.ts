import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTemporalCli } from '../../../dev/temporal-cli.ts';
import { pauseSignal } from '../../../src/contracts/extraction.ts';
import { extractionWorkflowId } from '../../../src/contracts/tenant.ts';
import { drainStates } from '../../../src/store/drains.ts';
import { freePort } from '../../support/free-port.ts';
import { startTemporal } from '../../support/global-setup.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf } from '../../support/onboarding/tenant.ts';
import { startWorld, type World, type WorldOptions } from '../../support/onboarding/world.ts';
import { createTestEnvironment } from '../../support/temporal.ts';

/** Tenants stay awake, so that each pause finds a drain whose long poll is open and whose next heartbeat is up to 22 s away. */
const AWAKE = { PARK_AFTER_MS: '600000', DRAIN_BUDGET_MS: '3600000' };
/** By heartbeats it would take eleven on average. */
const SOON_MS = 5_000;

async function place(temporal?: WorldOptions['temporal']) {
  const gladlies = await Promise.all(Array.from({ length: 4 }, () => startGladly()));
  const world = await startWorld({
    gladlyHosts: gladlies.map(({ host }) => host),
    env: AWAKE,
    ...(temporal ? { temporal } : {}),
  });
  return {
    world,
    gladlies,
    close: async () => {
      await world.close();
      await Promise.all(gladlies.map((gladly) => gladly.close()));
    },
  };
}

/** A connected tenant whose drain is at work; `pausedAfter` resolves with the ms from `act` until the status says paused. */
async function awake(world: World, gladly: TestGladly | undefined) {
  if (!gladly) throw new Error('There are too few organizations.');
  const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
  await tenant.give(credentialsOf(gladly));
  await tenant.until(({ onboarding, extraction }) => onboarding.state === 'done' && extraction?.state === 'running');
  // The drain has begun, and its first receive is open.
  await sleep(500);
  const { parkedAt, holder } = (await drainStates(world.db, [tenant.id])).get(tenant.id) ?? {};
  expect(parkedAt).toBeNull();
  expect(holder).toBe(`${process.pid}@test`);
  const pausedAfter = async (act: () => Promise<unknown>): Promise<number> => {
    const asked = performance.now();
    await act();
    await tenant.until(({ extraction }) => extraction?.state === 'paused');
    return performance.now() - asked;
  };
  const overHttp = () => world.api('POST', `/v1/tenants/${tenant.id}/pause`, { reason: 'maintenance' });
  // As Temporal's UI and CLI send it.
  const bySignal = () => world.env.client.workflow.getHandle(extractionWorkflowId(tenant.id)).signal(pauseSignal);
  return { tenant, pausedAfter, overHttp, bySignal };
}

/** From now on nothing that is ordered of a drain arrives. */
async function loseOrders(world: World): Promise<void> {
  await world.db.query('CREATE RULE lost AS ON INSERT TO drain_orders DO INSTEAD NOTHING');
}

describe('a server without commands for workers', () => {
  let here: Awaited<ReturnType<typeof place>>;
  beforeAll(async () => {
    here = await place();
  });
  afterAll(() => here?.close());

  it('stops a drain through Postgres, whoever asks', { timeout: 60_000 }, async () => {
    const [one, other] = [await awake(here.world, here.gladlies[0]), await awake(here.world, here.gladlies[1])];
    expect(await one.pausedAfter(one.overHttp)).toBeLessThan(SOON_MS);
    expect(await other.pausedAfter(other.bySignal)).toBeLessThan(SOON_MS);
  });

  it('stops one whose order is lost with its next heartbeat', { timeout: 60_000 }, async () => {
    const { pausedAfter, overHttp } = await awake(here.world, here.gladlies[2]);
    await loseOrders(here.world);
    const took = await pausedAfter(overHttp);
    expect(took).toBeGreaterThan(SOON_MS);
    expect(took).toBeLessThan(26_000);
  });
});

describe('a server with commands for workers', () => {
  let server: ReturnType<typeof startTemporal>;
  let here: Awaited<ReturnType<typeof place>>;
  beforeAll(async () => {
    const port = await freePort();
    const cli = await findTemporalCli({ env: process.env, say: () => undefined });
    server = startTemporal(cli, port, [
      'frontend.WorkerCommandsEnabled=true',
      'system.enableCancelActivityWorkerCommand=true',
    ]);
    here = await place(await createTestEnvironment(`127.0.0.1:${port}`));
  });
  afterAll(async () => {
    await here?.close();
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });

  it('stops a drain by itself, whoever asks, with every order lost', { timeout: 60_000 }, async () => {
    await loseOrders(here.world);
    const [one, other] = [await awake(here.world, here.gladlies[0]), await awake(here.world, here.gladlies[1])];
    expect(await one.pausedAfter(one.overHttp)).toBeLessThan(SOON_MS);
    expect(await other.pausedAfter(other.bySignal)).toBeLessThan(SOON_MS);
  });
});
