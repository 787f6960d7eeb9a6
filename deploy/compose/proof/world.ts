import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ComposeFile, type ComposeService, inOrder } from '../compose-file.ts';
import { type Program, programOf } from './programs.ts';

export interface WorldOptions {
  readonly services: ComposeFile['services'];
  readonly programs: string;
  readonly app: string;
  /** Data and logs of the services; a second world in it finds what the first one left. */
  readonly scratch: string;
}

export interface World {
  /** Ends the services, the last one started first. */
  stop(): Promise<void>;
  /** The end of each service's log. */
  lastWords(): string;
}

/** A service that the file calls healthy or complete has two minutes to be so, as the file's own checks allow. */
const HEALTHY_MS = 120_000;
const STOP_MS = 20_000;
const LAST_LINES = 15;

/** Starts every service in the order of `depends_on`, and waits until each is healthy or complete. Throws with its log otherwise. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const running: { readonly name: string; readonly child: ChildProcess }[] = [];
  const log = (name: string): string => join(options.scratch, `${name}.log`);
  const world: World = {
    async stop() {
      for (const { name, child } of running.toReversed()) await end(name, child);
    },
    lastWords: () => running.map(({ name }) => tail(name, log(name))).join('\n'),
  };
  try {
    for (const name of inOrder(options.services)) {
      const service = options.services[name];
      if (service === undefined) continue;
      const began = performance.now();
      const program = await programOf(name, service, options);
      if (program === undefined) {
        say(`${name}: left out, there is no ui-server`);
        continue;
      }
      const child = start(program, log(name));
      if (service.healthcheck === undefined) await untilComplete(name, child, log(name));
      else {
        running.push({ name, child });
        await untilHealthy(name, service, program, child, log(name));
      }
      const state = service.healthcheck === undefined ? 'complete' : 'healthy';
      say(`${name}: ${state} after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

function start({ command, env, cwd }: Program, log: string): ChildProcess {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => appendFileSync(log, chunk));
  return child;
}

function untilComplete(name: string, child: ChildProcess, log: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit code ${code}\n${tail(name, log)}`))));
  });
}

async function untilHealthy(
  name: string,
  service: ComposeService,
  program: Program,
  child: ChildProcess,
  log: string,
): Promise<void> {
  const [, file = '', ...args] = service.healthcheck?.test ?? [];
  for (const deadline = Date.now() + HEALTHY_MS; Date.now() < deadline; await delay(500)) {
    if (child.exitCode !== null) throw new Error(`${name} ended by itself\n${tail(name, log)}`);
    const { env, cwd } = program;
    const healthy = await promisify(execFile)(file, args, { env, cwd, timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (healthy) return;
  }
  throw new Error(`${name} is not healthy\n${tail(name, log)}`);
}

async function end(name: string, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null)
    return say(`${name}: had ended by itself, ${child.exitCode}`);
  const began = performance.now();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(killer);
  say(
    `${name}: ${child.signalCode ?? `exit code ${child.exitCode}`} after ${Math.round(performance.now() - began)} ms`,
  );
}

function tail(name: string, log: string): string {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  return [`${name}, last lines:`, ...lines.slice(-LAST_LINES)].join('\n  ');
}

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
