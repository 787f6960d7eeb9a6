import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../test/support/free-port.ts';

/** Where Debian puts the programs of a server, one folder a version. */
const DEBIAN = '/usr/lib/postgresql';
const READY_MS = 30_000;

/** A real Postgres in a folder of its own, which this process supervises as a container platform would: killed, it starts again. */
export class RealPostgres {
  readonly url: string;
  readonly version: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #bin: string;
  readonly #user: { uid: number; gid: number } | undefined;
  #server: ChildProcess | undefined;
  #ending = false;

  private constructor(folder: string, port: number) {
    this.version = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a))[0] ?? '';
    this.#bin = join(DEBIAN, this.version, 'bin');
    this.#folder = folder;
    this.#port = port;
    this.#user = unprivileged();
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  static async start(): Promise<RealPostgres> {
    const postgres = new RealPostgres(mkdtempSync(join(tmpdir(), 'postgres-')), await freePort());
    postgres.#initialize();
    postgres.#launch();
    await postgres.#ready();
    return postgres;
  }

  /** Of the server, whose children serve the connections. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** SIGKILL to the server; its children end when they see that it is gone. Resolves when the next one runs. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined) throw new Error('Postgres does not run.');
    server.kill('SIGKILL');
    while (this.#server === server) await sleep(20);
  }

  async end(): Promise<void> {
    this.#ending = true;
    const server = this.#server;
    if (server && server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit');
      server.kill('SIGINT');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #initialize(): void {
    if (this.#user) chownSync(this.#folder, this.#user.uid, this.#user.gid);
    const options = ['-D', this.#folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
    execFileSync(join(this.#bin, 'initdb'), options, { stdio: 'ignore', cwd: this.#folder, ...this.#user });
  }

  #launch(): void {
    const options = ['-D', this.#folder, '-p', String(this.#port), '-h', '127.0.0.1', '-k', this.#folder];
    const server = spawn(join(this.#bin, 'postgres'), options, { stdio: 'ignore', cwd: this.#folder, ...this.#user });
    this.#server = server;
    // The children of a server that was killed hold its shared memory for a moment; the next one refuses to start until then.
    server.once('exit', () => {
      if (!this.#ending) setTimeout(() => this.#launch(), 100);
    });
  }

  async #ready(): Promise<void> {
    const end = performance.now() + READY_MS;
    for (;;) {
      const client = new pg.Client(this.url);
      try {
        await client.connect();
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
        await sleep(100);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }
}

/** Postgres refuses to run as root: Debian's own user for it then, or nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const found = users.map((line) => line.split(':')).find(([name]) => name === 'postgres' || name === 'nobody');
  if (!found) throw new Error('There is no user to run Postgres as: neither postgres nor nobody.');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}
