import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { LoadOrder, LoadResult } from './load.ts';
import type { Usage } from './processes/child.ts';

/** A program of this benchmark in its own process. */
export interface Child {
  readonly port: number;
  usage(): Promise<Usage>;
  load(order: LoadOrder): Promise<LoadResult>;
  kill(): void;
}

export async function start(program: string, env: Record<string, string> = {}): Promise<Child> {
  const child = fork(join(import.meta.dirname, 'processes', `${program}.ts`), [], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', ...env },
  });
  const { port } = await message<{ port: number }>(child, 'port');
  return {
    port,
    async usage() {
      child.send('usage');
      return (await message<{ usage: Usage }>(child, 'usage')).usage;
    },
    async load(order) {
      child.send(order);
      return (await message<{ result: LoadResult }>(child, 'result')).result;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function message<T>(child: ChildProcess, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`${child.spawnargs.at(-1)} ended (${code})`));
    const onMessage = (said: unknown): void => {
      if (typeof said !== 'object' || said === null || !(name in said)) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(said as T);
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
