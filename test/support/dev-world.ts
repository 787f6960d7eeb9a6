import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { freePort } from './free-port.ts';

const PORTS = ['API_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'SQS_PORT', 'SIMULATOR_PORT'] as const;

export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dev-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const runFile = z.record(
  z.string(),
  z.object({ pid: z.number(), port: z.number().optional(), url: z.string().optional(), restarts: z.number() }),
);

const STAND_IN = [join(import.meta.dirname, './dev/programs/dev.ts')];
/** What `npm start` runs. */
export const REAL = [join(import.meta.dirname, '../../dev/main.ts')];

/** `main.ts dev` as a process, with ports of its own, in a folder of its own. */
export class DevWorld {
  readonly dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #program: readonly string[];
  #process: ChildProcess | undefined;
  output = '';

  private constructor(dataDir: string, env: Readonly<Record<string, string>>, program: readonly string[]) {
    this.dataDir = dataDir;
    this.#env = env;
    this.#program = program;
  }

  /** With programs of the test's own for API, worker and simulator, unless `program` is the real one. */
  static async make(
    env: Readonly<Record<string, string>> = {},
    program: readonly string[] = STAND_IN,
  ): Promise<DevWorld> {
    const ports = await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const));
    return new DevWorld(scratchFolder(), { ...Object.fromEntries(ports), ...env }, program);
  }

  /** The same folder and ports, with other variables. */
  with(env: Readonly<Record<string, string>>): DevWorld {
    return new DevWorld(this.dataDir, { ...this.#env, ...env }, this.#program);
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.#env['API_PORT']}`;
  }

  port(variable: string): number {
    return Number(this.#env[variable]);
  }

  /** `inShell`: as npm does, in a shell that has it as a child and does not pass signals on. */
  start({ inShell = false } = {}): this {
    this.output = '';
    const shell = inShell ? ['sh', '-c', '"$0" "$@"; exit $?'] : [];
    const [file = '', ...args] = [...shell, process.execPath, ...this.#program];
    const child = spawn(file, args, {
      env: { ...process.env, ...this.#env, DATA_DIR: this.dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.output += String(chunk)));
    this.#process = child;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // The supervisor takes its parts along, and only then is the folder removed.
    onTestFinished(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await gone;
    });
    return this;
  }

  async saying(text: string, withinMs = 30_000): Promise<void> {
    const child = this.#process;
    await until(
      () => {
        if (this.output.includes(text)) return true;
        if (child?.exitCode !== null || child.signalCode !== null)
          throw new Error(`it ended:\n${this.output}\n${this.#logs()}`);
        return false;
      },
      withinMs,
      () => `no "${text}" in:\n${this.output}\n${this.#logs()}`,
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(withinMs = 20_000): Promise<number | string> {
    const child = this.#process;
    await until(
      () => child?.exitCode !== null || child.signalCode !== null,
      withinMs,
      () => `still alive:\n${this.output}`,
    );
    return child?.exitCode ?? child?.signalCode ?? 'never started';
  }

  run(): z.infer<typeof runFile> {
    return runFile.parse(JSON.parse(readFileSync(join(this.dataDir, 'run', 'run.json'), 'utf8')));
  }

  pidOf(name: string): number {
    return this.run()[name]?.pid ?? -1;
  }

  /** Names of the processes that are noted as running. */
  noted(): readonly string[] {
    return readdirSync(join(this.dataDir, 'run')).filter((file) => file.endsWith('.pid'));
  }

  #logs(): string {
    const folder = join(this.dataDir, 'logs');
    return readdirSync(folder)
      .map((file) => `--- ${file}\n${readFileSync(join(folder, file), 'utf8').split('\n').slice(-8).join('\n')}`)
      .join('\n');
  }
}

export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  why: () => string,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${why()}`);
    await delay(20);
  }
}

/** Variables that leave only API, worker and simulator to start. */
export const ALL_REAL = {
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  DATABASE_URL: 'postgres://127.0.0.1:1/none',
  SQS_ENDPOINT: 'http://127.0.0.1:1',
};
