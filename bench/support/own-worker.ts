import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { endsWithUs } from './ending.ts';
import type { World } from './world.ts';

const ROOT = join(import.meta.dirname, '../..');
const PRODUCT = join(ROOT, 'src/main.ts');
const BUNDLE = join(ROOT, 'src/temporal/bundle-workflows.ts');
const MOST_BYTES = 64 * 1_024 * 1_024;
const START_MS = 60_000;
/** Longer than a stop may take under any settings here; what still runs then is killed. */
const STOP_MS = 90_000;
const ready = z.object({ type: z.literal('ready') });

/** A worker beside those of a world, on the same Temporal and Postgres, that this process starts and ends by itself. */
export class OwnWorker {
  readonly label: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #isEnded: () => void;

  private constructor(label: string, child: ChildProcess) {
    this.label = label;
    this.#child = child;
    this.#gone = new Promise((resolve) => child.once('exit', () => resolve()));
    this.#isEnded = endsWithUs(() => this.kill());
  }

  /** Resolves when it is up. `label` names its log in the world's folder. */
  static async start(world: World, label: string, env: Readonly<Record<string, string>> = {}): Promise<OwnWorker> {
    const log = openSync(join(world.dataDir, 'logs', `${label}.log`), 'a');
    const child = spawn(process.execPath, [PRODUCT, 'worker'], {
      env: { ...process.env, ...world.productEnv(), ...env },
      // The channel tells it when this process is gone; then it ends as well.
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const worker = new OwnWorker(label, child);
    try {
      const signal = AbortSignal.timeout(START_MS);
      const failed = worker.#gone.then(() => Promise.reject(new Error(`${label} ended while it started`)));
      // It ends some day, when nobody waits for this any more.
      failed.catch(() => undefined);
      const [said]: unknown[] = await Promise.race([once(child, 'message', { signal }), failed]);
      ready.parse(said);
      return worker;
    } catch (error) {
      await worker.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** As the table `workers` and Temporal know it. */
  get name(): string {
    return `${this.pid}@${hostname()}`;
  }

  /** SIGTERM; resolves with its exit code, or the signal that ended it. */
  async stop(): Promise<number | string> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#gone;
    clearTimeout(late);
    this.#isEnded();
    return this.#child.exitCode ?? this.#child.signalCode ?? 'unknown';
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#gone;
    this.#isEnded();
  }
}

/** The workflows' bundle, made once as for an image: to make it costs each start some seconds of a processor. Returns its path. */
export function bundleOnce(world: World): string {
  const file = join(world.dataDir, 'workflows.js');
  writeFileSync(file, execFileSync(process.execPath, [BUNDLE], { maxBuffer: MOST_BYTES }));
  return file;
}
