import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { freePort } from '../../test/support/free-port.ts';
import { Pipeline, type Places, placesOf } from '../../test/support/pipeline.ts';

/** The parts of `npm start` that a run may kill. `temporal` is the server itself. */
export type WorldPart = 'worker' | 'api' | 'temporal' | 'sqs' | 'postgres';

const MAIN = join(import.meta.dirname, '../../dev/main.ts');
const PORTS = ['API_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'SQS_PORT', 'SIMULATOR_PORT'] as const;
/** The first start of all downloads Temporal's CLI and makes the database. */
const START_MS = 150_000;
const LAST_WORDS = 4_000;

const runFile = z.record(z.string(), z.object({ pid: z.number() }).loose());

/** What `npm start` runs, with free ports and a folder of its own, for a command and not only for a test. */
export class World {
  readonly dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #process: ChildProcess;
  #output = '';
  #places: Places | undefined;

  private constructor(dataDir: string, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.#env = env;
    this.#process = spawn(process.execPath, [MAIN], {
      env: { ...process.env, ...env, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output = (this.#output + String(chunk)).slice(-LAST_WORDS);
      });
    }
  }

  /** Resolves when everything is up and the demo tenant is connected. `env` says what is unlike `npm start`. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<World> {
    const ports = await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const));
    const named = Object.fromEntries(ports);
    const world = new World(mkdtempSync(join(tmpdir(), 'world-')), { SIMULATOR_RATE: '0', ...named, ...env });
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
    try {
      return runFile.parse(JSON.parse(readFileSync(join(this.dataDir, 'run', 'run.json'), 'utf8')))[part]?.pid;
    } catch {
      return undefined;
    }
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
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      await gone;
    }
    if (!keep) rmSync(this.dataDir, { recursive: true, force: true });
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
