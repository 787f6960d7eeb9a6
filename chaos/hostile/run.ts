import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { insist } from '../happenings.ts';
import { allIsSent, HURRY, send } from '../run.ts';
import { tellOfEverything } from '../untold.ts';
import { judge, type Verdict } from '../verdict.ts';
import { type Does, GLADLY_TROUBLE } from './gladly.ts';
import { houseTrouble } from './house.ts';
import { explains, FULL_MS, type Kind } from './kinds.ts';
import { type Misled, misledBy, type Span } from './misled.ts';
import { eventually } from './patience.ts';
import { isPlanted, queueTrouble } from './queues.ts';
import { clockSeen, openScene, type Scene, type Site } from './scene.ts';
import { makeSchedule, type Trouble } from './schedule.ts';
import { temporalTrouble } from './temporal.ts';
import { Watcher } from './watcher.ts';

export interface HostileOptions {
  readonly seed: string;
  /** Over all tenants. */
  readonly events: number;
  readonly tenants: number;
  /** How long events are sent, and trouble begins. */
  readonly seconds: number;
  /** Of each simulated Gladly, requests a second. */
  readonly quota: number;
  /** Debian's Postgres instead of PGlite: it turns read-only, too. */
  readonly postgres: boolean;
  /** No other kinds of trouble than these. */
  readonly only?: readonly Kind[] | undefined;
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

/** How often each kind of trouble was planned, and how often it really happened. */
export type Tally = ReadonlyMap<string, { readonly planned: number; readonly happened: number }>;

export interface HostileResult {
  readonly verdict: Verdict;
  /** Events that neither went on nor have a reason after the trouble has ended. */
  readonly stuck: readonly string[];
  readonly misled: readonly Misled[];
  readonly tally: Tally;
  /** Looks at a status, and how many of them found something named: a run in which none did has looked at nothing. */
  readonly looks: { readonly all: number; readonly naming: number };
  readonly tookMs: number;
  readonly database: string;
}

/** After the trouble has ended everything has so long to go on: a conversation that failed again and again is tried each ten minutes. */
const SETTLE_MS = 300_000;
const LOOK_MS = 1_000;
const QUIET_MS = 2_500;
/** How often all tenants are looked at: the product’s own five minutes are half of a run. */
const SWEEP_MS = 10_000;
const SHORT_SWEEP_MS = 3_000;
/** A clock is off as it should when its first line is within the time that a start may take. */
const START_MS = 180_000;

/** Sends events to several tenants while everything unkind happens to them, waits until all is quiet, and counts. */
export async function hostile(options: HostileOptions): Promise<HostileResult> {
  const { seed, tenants, seconds, postgres, only, say } = options;
  const started = performance.now();
  const startedAt = Date.now();
  const since = (): string => `${Math.round((performance.now() - started) / 1_000)} s`;
  const scene = await openScene({ ...options, sweepMs: seconds * 1_000 < FULL_MS / 2 ? SHORT_SWEEP_MS : SWEEP_MS });
  try {
    say(`up after ${since()}; data in ${scene.world.dataDir}`);
    const watcher = new Watcher(scene.sites, scene.db);
    const schedule = makeSchedule({ seed, tenants, lengthMs: seconds * 1_000, postgres, only });
    const journal = new Journal(scene.sites, (line) => say(`${since()}: ${line}`));
    const eachEvents = Math.ceil(options.events / tenants);
    await Promise.all([
      ...scene.sites.map(({ pipeline }) => send(pipeline, eachEvents, eachEvents / seconds)),
      doAll(scene, schedule, journal),
    ]);
    say(`all has happened after ${since()}; now it may settle`);
    await Promise.all(scene.sites.map((site) => settle(site, watcher, say)));
    say(`settled after ${since()}`);
    await watcher.stop();
    const ends = await Promise.all(scene.sites.map((site) => endOf(site, scene, watcher)));
    return {
      verdict: sumOf(ends.map(({ verdict }) => verdict)),
      stuck: ends.flatMap(({ stuck }) => stuck),
      misled: misledBy(watcher.looks, journal.spans),
      tally: journal.tally(schedule, clocks(scene, startedAt)),
      looks: { all: watcher.looks.length, naming: watcher.looks.filter(({ named }) => named.length > 0).length },
      tookMs: performance.now() - started,
      database: scene.postgres ? `Postgres ${scene.postgres.version}` : 'PGlite',
    };
  } finally {
    await scene.end({ keep: options.keep });
  }
}

/** What happened, and when. */
class Journal {
  readonly spans: Span[] = [];
  readonly #sites: readonly Site[];
  readonly #say: (line: string) => void;
  readonly #happened = new Map<string, number>();

  constructor(sites: readonly Site[], say: (line: string) => void) {
    this.#sites = sites;
    this.#say = say;
  }

  async note({ kind, tenant }: Trouble, work: () => Promise<boolean>): Promise<void> {
    const whose = tenant === null ? null : (this.#sites[tenant]?.tenantId ?? null);
    const span = {
      fromMs: performance.now(),
      toMs: null,
      tenant: whose,
      explains: (code: string) => explains(kind, code),
    };
    const at = this.spans.push(span) - 1;
    const failure = await work().then(
      (happened) => (happened ? null : 'did not happen'),
      (error: unknown) => `did not happen: ${error instanceof Error ? error.message : String(error)}`,
    );
    this.spans[at] = { ...span, toMs: performance.now() };
    if (failure === null) this.#happened.set(kind, (this.#happened.get(kind) ?? 0) + 1);
    this.#say(`${kind}${whose === null ? '' : ` (${whose})`}${failure === null ? '' : `: ${failure}`}`);
  }

  /** `besides`: what lasts for the whole run. */
  tally(schedule: readonly Trouble[], besides: Tally): Tally {
    const planned = Map.groupBy(schedule, ({ kind }) => kind);
    const own = [...planned].map(
      ([kind, all]) => [kind, { planned: all.length, happened: this.#happened.get(kind) ?? 0 }] as const,
    );
    return new Map([...own, ...besides]);
  }
}

/** Does the schedule, each tenant's in turn, and the house's; what comes late does not move the others'. */
async function doAll(scene: Scene, schedule: readonly Trouble[], journal: Journal): Promise<void> {
  const start = performance.now();
  const temporal = temporalTrouble(scene.temporal);
  const ofTenant: Partial<Record<Kind, Does>> = {
    ...GLADLY_TROUBLE,
    ...queueTrouble(scene.sqs, scene.db),
    ...temporal.tenant,
  };
  const ofHouse: Partial<Record<Kind, (trouble: Trouble) => Promise<boolean>>> = houseTrouble(
    scene,
    temporal.signalSweep,
  );
  const one = async (trouble: Trouble): Promise<boolean> => {
    const { kind, tenant } = trouble;
    const site = tenant === null ? undefined : scene.sites[tenant];
    return site === undefined ? (ofHouse[kind]?.(trouble) ?? false) : (ofTenant[kind]?.(site, trouble) ?? false);
  };
  await Promise.all(
    [...Map.groupBy(schedule, ({ tenant }) => tenant).values()].map(async (lane) => {
      for (const trouble of lane) {
        await sleep(Math.max(0, trouble.atMs - (performance.now() - start)));
        await journal.note(trouble, () => one(trouble));
      }
    }),
  );
}

/**
 * Takes all trouble away, has Gladly send again what was refused, and waits until nothing is under way, or nothing moves any more. Of what the feed
 * calls limited, because its list could not be had, one more event tells: after that it must be complete.
 */
async function settle(site: Site, watcher: Watcher, say: HostileOptions['say']): Promise<void> {
  const { pipeline, tenantId } = site;
  await pipeline.control('DELETE', '/simulator/faults', undefined, z.unknown());
  await insist(pipeline, 'resume', {}).catch(() => say(`${tenantId} cannot be resumed`));
  await pipeline.control('PATCH', '/simulator/settings', { clockFactor: HURRY }, z.unknown());
  await allIsSent(pipeline);
  await tellOfEverything(pipeline);
  if (!(await isQuietSoon(site, watcher))) return say(`${tenantId} does not settle`);
  const limited = [...(await pipeline.feed()).values()].filter((line) => line['limited'] === true);
  for (const { conversationId } of limited) await pipeline.emit(1, { conversationId });
  await tellOfEverything(pipeline);
  if (!(await isQuietSoon(site, watcher))) say(`${tenantId} does not settle again`);
}

async function isQuietSoon({ pipeline, tenantId }: Site, watcher: Watcher): Promise<boolean> {
  await allIsSent(pipeline);
  const isQuiet = async (): Promise<boolean> => {
    const { events } = await pipeline.status();
    return events.inQueue === 0 && events.waiting === 0 && watcher.unsettled.get(tenantId)?.length === 0;
  };
  const isQuietTwice = async (): Promise<boolean> => {
    if (!(await isQuiet())) return false;
    // What SQS calls in flight and what it calls waiting are counted one after the other, and the watcher looks every two seconds.
    await sleep(QUIET_MS);
    return isQuiet();
  };
  return eventually(isQuietTwice, SETTLE_MS, LOOK_MS);
}

/** What one tenant came to. */
async function endOf(
  { pipeline, tenantId, follower, thirdParty }: Site,
  { world, db }: Scene,
  watcher: Watcher,
): Promise<{ readonly verdict: Verdict; readonly stuck: readonly string[] }> {
  await follower.stop();
  const { rows } = await db.query<{ id: string; waiting: number; reason: string | null }>(
    'SELECT conversation_id AS id, waiting, reason FROM pending_conversations WHERE tenant_id = $1',
    [tenantId],
  );
  const verdict = await judge(pipeline, world.places().databaseUrl, follower, {
    isPlanted,
    pending: new Set(rows.map(({ id }) => id)),
  });
  const items = [...(await pipeline.feed()).values()].flatMap((line) => line.items);
  const misdirected = items.filter((item) => thirdParty.has(item.itemId) && item['direction'] !== 'inbound');
  const named = watcher.namedLast(tenantId);
  const unsettled = watcher.unsettled.get(tenantId) ?? [];
  const of = (line: string): string => `${tenantId}: ${line}`;
  return {
    verdict: {
      ...verdict,
      lost: verdict.lost.map(of),
      doubled: verdict.doubled.map(of),
      wrong: [...verdict.wrong, ...misdirected.map(({ itemId }) => `mail ${itemId} of a third party goes out`)].map(of),
    },
    stuck: named.length > 0 ? [] : unsettled.map((id) => of(`event ${id} waits, and nothing is named`)),
  };
}

function sumOf(verdicts: readonly Verdict[]): Verdict {
  const sum = (field: 'delivered' | 'refused' | 'conversations' | 'items'): number =>
    verdicts.reduce((total, verdict) => total + verdict[field], 0);
  return {
    delivered: sum('delivered'),
    lost: verdicts.flatMap(({ lost }) => lost),
    doubled: verdicts.flatMap(({ doubled }) => doubled),
    wrong: verdicts.flatMap(({ wrong }) => wrong),
    refused: sum('refused'),
    conversations: sum('conversations'),
    items: sum('items'),
  };
}

/** The clocks of API and worker are off all the time; their logs show that they are. */
function clocks({ world, clocks: off }: Scene, startedAt: number): Tally {
  return new Map(
    (['api', 'worker'] as const).map((role) => {
      const seen = clockSeen(world, role, startedAt);
      const isOff = seen !== null && seen >= off[role] && seen < off[role] + START_MS;
      return [`clock of the ${role}`, { planned: 1, happened: isOff ? 1 : 0 }];
    }),
  );
}
