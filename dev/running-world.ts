import { join } from 'node:path';
import type { DevConfig } from './dev-config.ts';
import type { DevKeys } from './keys.ts';
import { LogFile } from './log-file.ts';
import { Part, type PartEvents, type PartSpec } from './part.ts';
import type { RunEntry, RunFolder } from './run-folder.ts';
import { embeddedPostgresUrl, type PartName } from './world.ts';

/** What nobody needs any more goes first: the product, then who talks to it, then the state. */
export const STOP_ORDER: readonly (readonly PartName[])[] = [
  ['api', 'worker'],
  ['simulator'],
  ['temporal-keeper', 'sqs', 'postgres'],
];

/** The parts that run, and `run.json`, which says where. */
export class RunningWorld {
  readonly #config: DevConfig;
  readonly #keys: DevKeys;
  readonly #run: RunFolder;
  readonly #parts = new Map<string, Part>();
  #closed = false;

  constructor(
    config: DevConfig,
    keys: DevKeys,
    run: RunFolder,
    specs: Readonly<Partial<Record<PartName, PartSpec>>>,
    events: Omit<PartEvents, 'changed'>,
  ) {
    this.#config = config;
    this.#keys = keys;
    this.#run = run;
    for (const spec of Object.values(specs)) {
      const log = new LogFile(join(config.dataDir, 'logs', `${spec.name}.log`));
      const changed = (): void => this.#publish();
      this.#parts.set(spec.name, new Part(spec, run, log, { ...events, changed }));
    }
    this.#publish();
  }

  /** Starts those of the named parts that this world has; resolves when all are ready, rejects with PartFailedError. */
  async start(...names: readonly PartName[]): Promise<void> {
    await Promise.all(names.map((name) => this.#parts.get(name)?.start()));
  }

  portOf(name: PartName): number | undefined {
    return this.#parts.get(name)?.port;
  }

  /** Stops everything in order; a part that does not stop in its time is killed. */
  async stop(): Promise<void> {
    for (const stage of STOP_ORDER) await Promise.all(stage.map((name) => this.#parts.get(name)?.stop()));
    this.#closed = true;
  }

  /** Kills everything at once, offspring and all. */
  async kill(): Promise<void> {
    this.#closed = true;
    for (const part of this.#parts.values()) part.kill();
    await this.#run.endAll();
  }

  #publish(): void {
    if (this.#closed) return;
    const entries: Record<string, RunEntry> = { supervisor: { pid: process.pid, restarts: 0 } };
    for (const [name, part] of this.#parts) {
      if (part.pid !== undefined)
        entries[name] = { pid: part.pid, restarts: part.restarts, ...this.#where(name, part) };
    }
    const temporal = this.#run.noted('temporal');
    const keeper = entries['temporal-keeper'];
    if (temporal && keeper) entries['temporal'] = { ...keeper, pid: temporal.pid };
    this.#run.publish(entries);
  }

  #where(name: string, part: Part): { port?: number; url?: string } {
    const config = this.#config;
    const http = (port: number): { port: number; url: string } => ({ port, url: `http://127.0.0.1:${port}` });
    switch (name) {
      case 'api':
        return http(config.apiPort);
      case 'simulator':
        return http(config.simulatorPort);
      case 'sqs':
        return http(config.sqsPort);
      case 'temporal-keeper':
        return { port: config.temporalPort, url: `http://127.0.0.1:${config.temporalUiPort}` };
      case 'postgres':
        return part.port === undefined ? {} : { port: part.port, url: embeddedPostgresUrl(this.#keys, part.port) };
      default:
        return {};
    }
  }
}
