import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVER_LIMITS } from '../../../src/api/http/server.ts';
import { freePort } from '../free-port.ts';

/** A program in its own process. */
export interface Program {
  readonly port: number;
  readonly process: ChildProcess;
  /** Sends the signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Program> {
  const child = fork(join(import.meta.dirname, file), args, {
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (said) => {
      const port = typeof said === 'object' && said !== null && 'port' in said ? said.port : null;
      if (typeof port === 'number') resolve(port);
      else reject(new Error(`${file} said ${JSON.stringify(said)}`));
    });
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return {
    port,
    process: child,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

/** A program of dev/parts, which keeps its state and port when it is killed and started again. */
export interface Part {
  readonly port: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Suspends the process until `goOn`: the kernel accepts connections, and no answer comes. */
  hang(): void;
  goOn(): void;
  close(): Promise<void>;
}

export async function openPart(name: 'sqs' | 'postgres'): Promise<Part> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const port = await freePort();
  const start = (): Promise<Program> => run(`../../../dev/parts/${name}.ts`, [folder, String(port)]);
  let program = await start();
  return {
    port,
    kill: () => program.end('SIGKILL'),
    async start() {
      program = await start();
    },
    hang: () => void program.process.kill('SIGSTOP'),
    goOn: () => void program.process.kill('SIGCONT'),
    async close() {
      await program.end('SIGKILL');
      await rm(folder, { recursive: true });
    },
  };
}

/** `delayMs`: the shutdown delay. `sharedPort`: a port that several of these processes listen on; 0 for a port of its own. */
export const runApi = (
  sqs: string,
  databaseUrl: string,
  delayMs = 0,
  sharedPort = 0,
  keepAliveMs = SERVER_LIMITS.keepAliveMs,
): Promise<Program> => run('processes/api.ts', [sqs, databaseUrl, ...[delayMs, sharedPort, keepAliveMs].map(String)]);

/** A role of the product as it runs in production: `node src/main.ts ROLE`, with these variables. */
export const runRole = (role: 'api' | 'ingest', env: NodeJS.ProcessEnv): Promise<Program> =>
  run('../../../src/main.ts', [role], { LOG_LEVEL: 'silent', API_PORT: '0', ...env });
