import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { findTemporalCli } from '../../../dev/temporal-cli.ts';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/search-attributes.ts';

/** A process that a test kills as nobody would stop it. */
export interface Killable {
  kill(): Promise<void>;
}

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;

/** `main.ts worker`, as soon as it says that it is up. Its log lines go into `log`. */
export async function startWorkerProcess(
  variables: Readonly<Record<string, string>>,
  log: string[],
): Promise<Killable> {
  const child = spawn(process.execPath, [MAIN, 'worker'], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seen: string[] = [];
  const note = (chunk: Buffer): void => {
    seen.push(String(chunk));
    log.push(String(chunk));
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  for (let ms = 0; !seen.join('').includes('worker is up'); ms += 50) {
    if (child.exitCode !== null || ms > 40_000) throw new Error(`The worker does not come up: ${seen.join('')}`);
    await delay(50);
  }
  return { kill: () => killed(child) };
}

/** A Temporal whose state is in a file, at this port: it is there again after a kill. */
export async function startTemporalProcess(port: number, file: string): Promise<Killable> {
  const cli = await findTemporalCli({ env: process.env, say: () => undefined });
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap(({ name, type }) => [
    '--search-attribute',
    `${name}=${type === 'DATETIME' ? 'Datetime' : 'Keyword'}`,
  ]);
  const where = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--db-filename', file];
  const child = spawn(cli, ['server', 'start-dev', ...where, '--log-level', 'never', ...attributes], {
    stdio: 'ignore',
  });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 100) throw new Error('Temporal does not come up.');
    await delay(100);
  }
  return { kill: () => killed(child) };
}

async function answers(port: number): Promise<boolean> {
  try {
    await (await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 1_000 })).close();
    return true;
  } catch {
    return false;
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
