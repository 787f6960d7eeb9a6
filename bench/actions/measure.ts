import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openDb } from '../../src/store/db.ts';
import { freePort } from '../../test/support/free-port.ts';
import { Feeder } from '../support/feeder.ts';
import { figure } from '../support/figures.ts';
import { parkedOf, untilAllBegan } from '../support/freshness-of.ts';
import { type Enrolled, enroll } from '../support/many-tenants.ts';
import { inWords } from '../support/processor-time.ts';
import type { Finding, Say } from '../support/report.ts';
import { total } from '../support/server-metrics.ts';
import { silenceDemo } from '../support/silence.ts';
import { World } from '../support/world.ts';
import { ActionMeter, type Counted, perDay, typesInWords } from './meter.ts';

export interface ActionsOptions {
  readonly tenants: number;
  /** Of each time in which it is counted. */
  readonly seconds: number;
  readonly sweeps: number;
}

const DAY_S = 86_400;
/** PARKED_LOOK_MS of src/config.ts is 12 hours. */
const LOOKS_A_DAY = 2;
/** For those that are looked at as soon as they are parked. */
const SHORT_LOOK_MS = 1_000;
/** An event in 3 s. */
const TRICKLE_S = 3;
/** A tenant may stay awake for minutes before it parks. */
const ALL_PARKED_MS = 900_000;
const BEGIN_MS = 120_000;
/** Events that wait for a tenant that is paused. */
const WAITING = 3;
/** The sweep wakes only who was not at work for so long (NOBODY_AT_IT_MS of src/activities/sweep). */
const NOBODY_AT_IT_S = 155;
/** What there is without tenants is next to nothing: a third of the time shows it. */
const BACKGROUND_PART = 3;
/** Until what was just begun or ended has told Temporal so: a drain marks its tenant parked a moment before. */
const CALM_MS = 10_000;
const WARM_UP_S = 60;

interface Scene {
  readonly world: World;
  readonly meter: ActionMeter;
  readonly options: ActionsOptions;
  readonly say: Say;
}

/** A world whose sweep runs only when it is asked to. Temporal's actions are counted, and what the demo tenant would do is not. */
async function inWorld<T>(
  options: ActionsOptions,
  say: Say,
  measure: (scene: Scene) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const port = await freePort();
  const world = await World.start({
    ...env,
    TEMPORAL_METRICS_PORT: String(port),
    SWEEP_MS: String(DAY_S * 1_000),
    SIMULATOR_QUOTA: '200',
  });
  try {
    await silenceDemo(world);
    return await measure({ world, meter: new ActionMeter(world, port), options, say });
  } finally {
    await world.end();
  }
}

/** A figure of one world, with what its processes used. */
async function figureOf(
  options: ActionsOptions,
  say: Say,
  measure: (scene: Scene) => Promise<Finding>,
): Promise<Finding> {
  return await inWorld(options, say, async (scene) => {
    const time = scene.world.processorTime();
    const { figure: found, how } = await measure(scene);
    const words = inWords(time.stop());
    say(`${found.name}: ${found.value}; ${words}`);
    return { figure: found, how: `${how}. Processor time in all: ${words}` };
  });
}

/** What there is without tenants: in so many seconds, and in so many sweeps. */
async function background({ meter, options }: Scene): Promise<Pick<Counted, 'quietBefore' | 'sweptBefore'>> {
  await sleep(CALM_MS);
  const quiet = await meter.during(() => sleep((options.seconds / BACKGROUND_PART) * 1_000));
  return { quietBefore: total(quiet) * BACKGROUND_PART, sweptBefore: total(await meter.sweeps(options.sweeps)) };
}

/** What there is with them, less that; in numbers, and in words. */
async function share(
  { meter, options }: Scene,
  before: Pick<Counted, 'quietBefore' | 'sweptBefore'>,
): Promise<{ readonly counted: Counted; readonly words: string }> {
  const { tenants, seconds, sweeps } = options;
  await sleep(CALM_MS);
  const quiet = await meter.during(() => sleep(seconds * 1_000));
  const swept = await meter.sweeps(sweeps);
  const counted = { ...before, tenants, seconds, sweeps, quiet: total(quiet), swept: total(swept) };
  const words = `${tenants} tenants: ${counted.quiet} actions in ${seconds} s without a sweep (${typesInWords(quiet)}; ${before.quietBefore} without tenants), ${counted.swept} in ${sweeps} sweeps (${typesInWords(swept)}; ${before.sweptBefore} without tenants)`;
  return { counted, words };
}

const namesOf = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}-${n}`);

/** Of a tenant that is parked, and is looked at twice a day all the same. */
export async function measureIdle(options: ActionsOptions, say: Say): Promise<Finding> {
  const looks = await measureLooks(options, say);
  return await figureOf(options, say, async (scene) => {
    const { world } = scene;
    const { databaseUrl } = world.places();
    const before = await background(scene);
    const names = namesOf('asleep', options.tenants);
    await enroll(world, names);
    const end = performance.now() + ALL_PARKED_MS;
    while ((await parkedOf(databaseUrl, names)) < names.length && performance.now() < end) await sleep(1_000);
    const { counted, words } = await share(scene, before);
    say(words);
    return {
      figure: figure('actions_idle', perDay(counted) + looks.each * LOOKS_A_DAY, 'actions', 'lower', 40),
      how: `reckoned from minutes, not waited for: two looks a day at ${looks.each.toFixed(1)} actions each (${looks.words}), and what time and 288 sweeps a day add (${words})`,
    };
  });
}

/** What it costs to look at a parked tenant, where that is done again and again. */
async function measureLooks(
  options: ActionsOptions,
  say: Say,
): Promise<{ readonly each: number; readonly words: string }> {
  const { tenants, seconds } = options;
  const measure = async ({ world, meter }: Scene) => {
    const names = namesOf('looking', tenants);
    await enroll(world, names);
    // The first drain of a tenant is no look, and may last for minutes.
    await untilDrains(world, names, 2 * tenants, seconds);
    const drains = await drainsOf(world, names);
    let looks = 0;
    const actions = await meter.during(async () => {
      looks = (await untilDrains(world, names, drains + tenants, seconds)) - drains;
    });
    if (looks === 0) throw new Error(`no parked tenant was looked at within ${ALL_PARKED_MS / 60_000} minutes`);
    const words = `${total(actions)} actions in ${looks} looks, made one after the other for this: ${typesInWords(actions)}`;
    say(words);
    return { each: total(actions) / looks, words };
  };
  return await inWorld(options, say, measure, { PARKED_LOOK_MS: String(SHORT_LOOK_MS) });
}

/** Of a tenant with an event in 3 s, day and night. */
export function measureTrickle(options: ActionsOptions, say: Say): Promise<Finding> {
  return figureOf(options, say, async (scene) => {
    const { world, meter } = scene;
    const { tenants, seconds } = options;
    const { quietBefore } = await background(scene);
    const enrolled = await enroll(world, namesOf('trickle', tenants));
    const rate = tenants / TRICKLE_S;
    const feeder = await feeding(world, enrolled, { count: Math.ceil(rate * (WARM_UP_S + seconds)), rate });
    await sleep(WARM_UP_S * 1_000);
    const quiet = await meter.during(() => sleep(seconds * 1_000));
    await feeder.stop();
    const none = { swept: 0, sweptBefore: 0, sweeps: 1 };
    const value = perDay({ tenants, seconds, quiet: total(quiet), quietBefore, ...none });
    const words = `${total(quiet)} actions of ${tenants} tenants in ${seconds} s (${typesInWords(quiet)}; ${quietBefore} without tenants)`;
    say(words);
    return {
      figure: figure('actions_trickle', value, 'actions', 'lower', 4_000),
      how: `an event in ${TRICKLE_S} s for each tenant; ${words}, after ${WARM_UP_S} s of the same, times ${(DAY_S / seconds).toFixed(0)}; sweeps are not in it`,
    };
  });
}

/** Of a tenant that is paused, and for which events wait. */
export function measurePaused(options: ActionsOptions, say: Say): Promise<Finding> {
  return figureOf(options, say, async (scene) => {
    const { world } = scene;
    const { tenants } = options;
    const before = await background(scene);
    const names = namesOf('paused', tenants);
    const enrolled = await enroll(world, names);
    await untilAllBegan(world.places().databaseUrl, names, BEGIN_MS);
    for (const name of names) {
      const pipeline = world.pipeline(name);
      await pipeline.ask('POST', `/v1/tenants/${name}/pause`, { reason: 'benchmark' });
      await pipeline.when('paused', ({ extraction }) => extraction?.state === 'paused');
    }
    const feeder = await feeding(world, enrolled, { count: tenants * WAITING, rate: tenants });
    await sleep((WAITING + 2) * 1_000);
    await feeder.stop();
    await sleep(NOBODY_AT_IT_S * 1_000);
    const { counted, words } = await share(scene, before);
    say(words);
    return {
      figure: figure('actions_paused', perDay(counted), 'actions', 'lower', 10),
      how: `reckoned from minutes: ${feeder.posted} events wait for ${words}; times 288 sweeps and ${DAY_S} seconds a day`,
    };
  });
}

async function feeding(
  world: World,
  enrolled: readonly Enrolled[],
  { count, rate }: { readonly count: number; readonly rate: number },
): Promise<Feeder> {
  const feeder = new Feeder(world.pipeline(), enrolled);
  await feeder.start();
  const order = { count, ratePerSecond: rate, conversations: 3 * enrolled.length, wait: false };
  await world.pipeline().control('POST', '/simulator/emit', order, z.unknown());
  return feeder;
}

/** Looks every so many seconds whether so many drains of theirs have begun; gives up after a while. Returns how many have. */
async function untilDrains(world: World, names: readonly string[], wanted: number, seconds: number): Promise<number> {
  const end = performance.now() + ALL_PARKED_MS;
  for (;;) {
    await sleep(seconds * 1_000);
    const drains = await drainsOf(world, names);
    if (drains >= wanted || performance.now() > end) return drains;
  }
}

/** How often drains of theirs have begun. */
async function drainsOf(world: World, names: readonly string[]): Promise<number> {
  const db = openDb(world.places().databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await db.query<{ n: unknown }>('SELECT sum(fence) AS n FROM drains WHERE tenant_id = ANY($1)', [
      [...names],
    ]);
    return Number(rows[0]?.n);
  } finally {
    await db.close();
  }
}
