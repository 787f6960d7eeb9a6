import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { signal } from '../../dev/processes.ts';
import { freePort } from '../../test/support/free-port.ts';
import { Pipeline, type Places, placesOf } from '../../test/support/pipeline.ts';
import { endsWithUs } from './ending.ts';
import { ProcessorTime, type Watched } from './processor-time.ts';

/** The parts of `npm start` that a run may kill. `temporal` is the server itself. */
export type WorldPart = 'worker' | 'api' | 'temporal' | 'sqs' | 'postgres';

/** Variables of a world in which an event is read as soon as it is there: what is measured is the way, not the wait for more events. */
export const NO_SETTLING = { SETTLE_MS: '0', SETTLE_MAX_MS: '0' };

const MAIN = join(import.meta.dirname, '../../dev/main.ts');
const PORTS = ['API_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'SQS_PORT', 'SIMULATOR_PORT'] as const;
/** The first start of all downloads Temporal's CLI and makes the database. */
const START_MS = 150_000;
const LAST_WORDS = 4_000;
/** A role needs longer than this to do anything at all. */
const KEEP_DEAD_MS = 200;

const runFile = z.record(z.string(), z.object({ pid: z.number() }).loose());

/** What `npm start` runs, with free ports and a folder of its own, for a command and not only for a test. */
export class World {
  readonly dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #process: ChildProcess;
  readonly #isEnded: () => void;
  readonly #killing = new Set<NodeJS.Timeout>();
  #output = '';
  #places: Places | undefined;

  private constructor(dataDir: string, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.#env = env;
    this.#isEnded = endsWithUs(() => this.end());
    this.#process = spawn(process.execPath, [MAIN], {
      // As npm names it: then it ends when this process is gone, however that went.
      env: { ...process.env, ...env, DATA_DIR: dataDir, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output = (this.#output + String(chunk)).slice(-LAST_WORDS);
      });
    }
  }

  /** Resolves when everything is up and the demo tenant is connected. It receives as in production, and `env` says what else is unlike `npm start`. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<World> {
    const ports = await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const));
    const named = Object.fromEntries(ports);
    const standard = { SIMULATOR_RATE: '0', RECEIVE_WAIT_SECONDS: '20', ...named };
    const world = new World(mkdtempSync(join(tmpdir(), 'world-')), { ...standard, ...env });
    try {
      await world.#saying('Idiomatic for Gladly runs');
      await world.pipeline().when('the demo tenant is connected', ({ onboarding }) => onboarding?.state === 'done');
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  get temporalAddress(): string {
    return `127.0.0.1:${this.#env['TEMPORAL_PORT']}`;
  }

  get simulatorSeed(): string {
    return this.#env['SIMULATOR_SEED'] ?? 'gladly';
  }

  get sqsEndpoint(): string {
    return `http://127.0.0.1:${this.#env['SQS_PORT']}`;
  }

  /** They stay the same over restarts; a part that is just being started again is not in run.json. */
  places(): Places {
    // A Postgres that was given with DATABASE_URL is none of this world's parts, so only the environment knows it.
    this.#places ??= placesOf(this.dataDir, this.#env['DATABASE_URL']);
    return this.#places;
  }

  pipeline(tenantId?: string): Pipeline {
    return new Pipeline(() => this.places(), tenantId);
  }

  /** Undefined while it is being started again. */
  pidOf(part: WorldPart): number | undefined {
    return this.#run()[part]?.pid;
  }

  /** All that runs now, for a look at its processor time. The keeper of Temporal is counted with the server. */
  processes(): ReadonlyMap<string, Watched> {
    const { supervisor, 'temporal-keeper': keeper, temporal: _, ...parts } = this.#run();
    const found = new Map<string, Watched>(Object.entries(parts).map(([name, { pid }]) => [name, { pid }]));
    if (keeper) found.set('temporal', { pid: keeper.pid });
    if (supervisor) found.set('supervisor', { pid: supervisor.pid, alone: true });
    return found;
  }

  /** The processor time from now on, of all that runs here and of this process; `more`: what else belongs to it, or stands in for a part. */
  processorTime(more: () => ReadonlyMap<string, Watched> = () => new Map()): ProcessorTime {
    const self = ['benchmark', { pid: process.pid, alone: true }] as const;
    return new ProcessorTime(() => new Map([...this.processes(), self, ...more()]));
  }

  /** The environment of an API or worker beside those of this world. */
  productEnv(): Readonly<Record<string, string>> {
    const { api, simulator, databaseUrl, operatorKey } = this.places();
    const hosts = [this.#env['GLADLY_EXTRA_HOSTS'], new URL(simulator).host].filter(Boolean);
    return {
      AWS_ACCESS_KEY_ID: 'embedded',
      AWS_SECRET_ACCESS_KEY: 'embedded',
      AWS_REGION: 'us-east-1',
      SQS_ENDPOINT: this.sqsEndpoint,
      ...this.#env,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: this.temporalAddress,
      PUBLIC_URL: api,
      OPERATOR_KEYS: operatorKey,
      SECRET_KEYS: this.secretKeys(),
      GLADLY_EXTRA_HOSTS: hosts.join(','),
    };
  }

  /** Kills a part, and each start of it from now on, until this world ends or the returned function is called. */
  keepDead(part: WorldPart): () => void {
    const kill = (): void => {
      const pid = this.pidOf(part);
      if (pid !== undefined) signal(pid, 'SIGKILL');
    };
    kill();
    const killing = setInterval(kill, KEEP_DEAD_MS);
    this.#killing.add(killing);
    return () => clearInterval(killing);
  }

  /** The key that encrypts secrets in this world. */
  secretKeys(): string {
    const keys: unknown = JSON.parse(readFileSync(join(this.dataDir, 'keys.json'), 'utf8'));
    return z.object({ secretKeys: z.string() }).parse(keys).secretKeys;
  }

  /** What a part has logged. */
  log(part: string): string {
    return readFileSync(join(this.dataDir, 'logs', `${part}.log`), 'utf8');
  }

  /** Stops it and removes its folder, unless that is to be kept and looked into. */
  async end({ keep = false } = {}): Promise<void> {
    const child = this.#process;
    for (const killing of this.#killing) clearInterval(killing);
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      await gone;
    }
    this.#isEnded();
    if (!keep) rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Empty while it comes up. */
  #run(): z.output<typeof runFile> {
    try {
      return runFile.parse(JSON.parse(readFileSync(join(this.dataDir, 'run', 'run.json'), 'utf8')));
    } catch {
      return {};
    }
  }

  async #saying(text: string): Promise<void> {
    const end = performance.now() + START_MS;
    while (!this.#output.includes(text)) {
      const ended = this.#process.exitCode !== null || this.#process.signalCode !== null;
      if (ended || performance.now() > end) throw new Error(`npm start does not come up:\n${this.#output}`);
      await sleep(50);
    }
  }
}
