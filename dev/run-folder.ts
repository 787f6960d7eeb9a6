import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { endProcess, identify, type ProcessId } from './processes.ts';

/** What `run.json` says of each process, by its name, for people and for tests that kill parts. */
export interface RunEntry {
  readonly pid: number;
  /** Of Temporal: that of its gRPC front end, and the address of its UI. */
  readonly port?: number;
  readonly url?: string;
  readonly restarts: number;
}

const processId = z.object({ pid: z.int().positive(), began: z.string() });

/** `DATA_DIR/run`: who runs here now, and who was left behind. */
export class RunFolder {
  readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'run');
    mkdirSync(this.path, { recursive: true });
  }

  /**
   * Takes the folder for this process, or answers undefined when another holds it. The lock is the operating system's, on a SQLite
   * file: it goes with its process, however that ends, so a lock never outlives its holder.
   */
  lock(): { release(): void } | undefined {
    const file = new DatabaseSync(join(this.path, 'lock'), { timeout: 0 });
    try {
      file.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    } catch {
      file.close();
      return undefined;
    }
    return { release: () => file.close() };
  }

  /** Notes a process just started, so that it can be found again whatever happens to its parent. */
  note(name: string, pid: number): void {
    const id = identify(pid);
    if (id !== undefined) writeWhole(this.#pidFile(name), JSON.stringify(id));
  }

  /** Ends the noted process of that name, if it still runs, and forgets it. True when there was one to end. */
  async end(name: string): Promise<boolean> {
    const id = this.noted(name);
    const ended = id !== undefined && (await endProcess(id));
    rmSync(this.#pidFile(name), { force: true });
    return ended;
  }

  forget(name: string): void {
    rmSync(this.#pidFile(name), { force: true });
  }

  /** Ends every process that an earlier start has left behind; answers their names. */
  async endAll(): Promise<readonly string[]> {
    const names = readdirSync(this.path).flatMap((file) => (file.endsWith('.pid') ? [file.slice(0, -4)] : []));
    const ended = await Promise.all(names.map(async (name) => ((await this.end(name)) ? [name] : [])));
    return ended.flat();
  }

  publish(entries: Readonly<Record<string, RunEntry>>): void {
    writeWhole(join(this.path, 'run.json'), `${JSON.stringify(entries, undefined, 2)}\n`);
  }

  /** The pid of the supervisor that last published here. */
  supervisorPid(): number | undefined {
    try {
      const run: unknown = JSON.parse(readFileSync(join(this.path, 'run.json'), 'utf8'));
      return z.object({ supervisor: z.object({ pid: z.number() }) }).parse(run).supervisor.pid;
    } catch {
      return undefined;
    }
  }

  /** The process last noted under that name; it may have ended since. */
  noted(name: string): ProcessId | undefined {
    try {
      return processId.parse(JSON.parse(readFileSync(this.#pidFile(name), 'utf8')));
    } catch {
      return undefined;
    }
  }

  #pidFile(name: string): string {
    return join(this.path, `${name}.pid`);
  }
}

/** A reader, or a start after SIGKILL, never sees half a file. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  // Its owner's only: the address of the embedded Postgres holds its password.
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
