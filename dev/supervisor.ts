import { accessSync, chmodSync, constants, mkdirSync, readdirSync, statSync } from 'node:fs';
import {
  connectDemoTenant,
  type DemoCredentials,
  type DemoOptions,
  demoConnectUrl,
  firstConversation,
} from './demo.ts';
import type { DevConfig } from './dev-config.ts';
import { greeting } from './greeting.ts';
import { type DevKeys, readOrMakeKeys } from './keys.ts';
import { PartLines } from './part-lines.ts';
import { takenPorts } from './ports.ts';
import { RunFolder } from './run-folder.ts';
import { RunningWorld } from './running-world.ts';
import { findTemporalCli } from './temporal-cli.ts';
import { seconds, type Terminal, terminalOn } from './terminal.ts';
import { wantedPorts, worldParts } from './world.ts';

export interface DevOptions {
  /** The program that is run as `PRODUCT api` and `PRODUCT worker`. */
  readonly product: string;
  /** The simulator's program, and its arguments. */
  readonly simulator: readonly string[];
  readonly demoCredentials: DemoCredentials;
}

/** The world cannot be started, and the message says why and what to do. */
export class CannotStartError extends Error {
  override readonly name = 'CannotStartError';
}

/** How soon the end of npm is noticed. */
const PARENT_LOOK_MS = 500;
/** npm passes Ctrl-C on to a process that has had it from the terminal already: within this time it is the same one. */
const SAME_CTRL_C_MS = 500;

/**
 * Runs the embedded world until a signal ends it. Resolves with the exit code: 0 after Ctrl-C, 1 when it could not start or a part was
 * lost for good, the reason being on stderr.
 */
export async function runDev(config: DevConfig, options: DevOptions): Promise<number> {
  const terminal = terminalOn((text) => process.stdout.write(text));
  // A reader who has gone away (`npm start | head`) is no reason to end.
  process.stdout.on('error', () => undefined);
  try {
    // Conversations, tokens and logs are in it. Of all that is made from here on, by the parts too, nobody else is to read anything.
    process.umask(0o077);
    mkdirSync(config.dataDir, { recursive: true });
    accessSync(config.dataDir, constants.W_OK);
    closeToOthers(config.dataDir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    complain(`DATA_DIR: ${config.dataDir} cannot be used as a folder (${why}). Set it to another one.`);
    return 1;
  }
  const run = new RunFolder(config.dataDir);
  const lock = run.lock();
  if (lock === undefined) {
    const pid = run.supervisorPid();
    complain(
      `Another start runs on ${config.dataDir}${pid ? ` (process ${pid})` : ''}: stop it, or set DATA_DIR to another folder.`,
    );
    return 1;
  }
  try {
    const left = await run.endAll();
    if (left.length > 0) terminal.say(`Ended what an earlier start had left behind: ${left.join(', ')}`);
    const taken = await takenPorts(wantedPorts(config));
    if (taken.length > 0) throw new CannotStartError(taken.join('\n'));
    return await new Supervisor(config, options, run, terminal).run();
  } catch (error) {
    complain(error instanceof CannotStartError ? error.message : String(error instanceof Error ? error.stack : error));
    return 1;
  } finally {
    lock.release();
  }
}

/** What is kept by every DATA_DIR of ours. */
const KEPT = 'keys.json';
const STICKY = 0o1000;

/** A folder that was there may be open to everybody. One that is shared on purpose (/tmp) or holds what is not ours is left as it is. */
function closeToOthers(folder: string): void {
  const files = readdirSync(folder);
  const { mode } = statSync(folder);
  const isOurs = files.length === 0 || files.includes(KEPT);
  if ((mode & 0o077) !== 0 && (mode & STICKY) === 0 && isOurs) chmodSync(folder, 0o700);
}

class Supervisor {
  readonly #config: DevConfig;
  readonly #options: DevOptions;
  readonly #terminal: Terminal;
  readonly #keys: DevKeys;
  readonly #world: RunningWorld;
  readonly #ended = Promise.withResolvers<number>();
  readonly #ending = new AbortController();
  #temporalCli = '';
  #endingSince = 0;
  #exitCode = 0;

  constructor(config: DevConfig, options: DevOptions, run: RunFolder, terminal: Terminal) {
    this.#config = config;
    this.#options = options;
    this.#terminal = terminal;
    this.#keys = readOrMakeKeys(config.dataDir);
    const lines = new PartLines();
    const facts = {
      product: options.product,
      simulator: options.simulator,
      keys: this.#keys,
      temporalCli: () => this.#temporalCli,
      postgresPort: () => this.#world.portOf('postgres') ?? 0,
    };
    this.#world = new RunningWorld(config, this.#keys, run, worldParts(config, facts), {
      line: (part, text, stream) => {
        const shown = this.#ending.signal.aborted ? undefined : lines.read(part, text, stream);
        if (shown !== undefined && PRODUCT.has(part)) terminal.say(shown);
      },
      restarting: (part, how, delayMs) =>
        terminal.say(`${part} ended (${how}); it starts again in ${seconds(delayMs)}`),
      failed: (error) => this.#end(1, error.message),
    });
  }

  /** Resolves with the exit code, everything being stopped. */
  async run(): Promise<number> {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => this.#onSignal());
    this.#endWithNpm();
    this.#comeUp().catch((error: unknown) => {
      if (!this.#ending.signal.aborted) this.#end(1, error instanceof Error ? error.message : String(error));
    });
    return await this.#ended.promise;
  }

  async #comeUp(): Promise<void> {
    const { waitingFor } = this.#terminal;
    const world = this.#world;
    const temporal = async (): Promise<void> => {
      if (this.#config.temporalAddress !== undefined) return;
      this.#temporalCli = await findTemporalCli({
        env: process.env,
        say: this.#terminal.say,
        signal: this.#ending.signal,
      });
      this.#ending.signal.throwIfAborted();
      await waitingFor('Temporal starts', world.start('temporal-keeper'));
    };
    await Promise.all([
      temporal(),
      waitingFor('the simulated Gladly starts', world.start('simulator')),
      waitingFor('SQS starts', world.start('sqs')),
      waitingFor('Postgres starts (it is made at the first start)', world.start('postgres')),
    ]);
    this.#ending.signal.throwIfAborted();
    // The worker says nothing on the terminal: the first conversation will.
    world.start('worker').catch(() => undefined);
    await waitingFor('the API starts', world.start('api'));
    this.#ending.signal.throwIfAborted();
    await this.#greet();
  }

  async #greet(): Promise<void> {
    const config = this.#config;
    const givenKey = firstKey(config.operatorKeys);
    const operatorKey = givenKey ?? this.#keys.operatorKey;
    const demo: DemoOptions = {
      apiUrl: `http://127.0.0.1:${config.apiPort}`,
      operatorKey,
      domain: `127.0.0.1:${config.simulatorPort}`,
      credentials: this.#options.demoCredentials,
      signal: this.#ending.signal,
    };
    if (config.embeddedSimulator) {
      // All else works without the demo tenant; what is in its way should be seen, and can be looked at.
      const connecting = connectDemoTenant(demo).catch((error: Error) => complain(error.message));
      await this.#terminal.waitingFor('the demo tenant is connected', connecting);
    }
    const connectUrl = config.embeddedSimulator ? await demoConnectUrl(demo).catch(() => undefined) : undefined;
    this.#terminal.say(
      greeting({
        config,
        operatorKey: givenKey === undefined ? operatorKey : null,
        connectUrl,
        demo: config.embeddedSimulator ? { domain: demo.domain, ...demo.credentials } : null,
        elapsedMs: performance.now(),
      }),
    );
    if (!config.embeddedSimulator) return;
    await firstConversation(demo);
    this.#terminal.say(`The first conversation is stored, ${seconds(performance.now())} after the start.`);
  }

  /** A SIGTERM to `npm start` ends npm and its shell, and the shell (dash) does not pass it on. Run by anybody else, it may outlive who started it. */
  #endWithNpm(): void {
    if (process.env['npm_lifecycle_event'] !== 'start') return;
    const parent = process.ppid;
    const look = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(look);
      this.#end(0);
    }, PARENT_LOOK_MS);
    look.unref();
  }

  #onSignal(): void {
    if (!this.#ending.signal.aborted) {
      this.#terminal.say('\nStopping; Ctrl-C once more kills.');
      this.#end(0);
    } else if (performance.now() - this.#endingSince > SAME_CTRL_C_MS) {
      this.#exitCode = 1;
      void this.#world.kill().finally(() => this.#ended.resolve(this.#exitCode));
    }
  }

  #end(code: number, message?: string): void {
    if (this.#ending.signal.aborted) return;
    this.#endingSince = performance.now();
    this.#exitCode = code;
    this.#ending.abort();
    if (message !== undefined) complain(message);
    void this.#world.stop().finally(() => this.#ended.resolve(this.#exitCode));
  }
}

/** The parts whose warnings concern the person at the terminal; the others' are in their logs. */
const PRODUCT: ReadonlySet<string> = new Set(['api', 'worker', 'simulator']);

/** Of KEY, name:KEY and name:role:KEY, a list of which OPERATOR_KEYS is; a viewer may not connect a tenant. */
function firstKey(operatorKeys: string | undefined): string | undefined {
  const entries = operatorKeys?.split(',').map((entry) => entry.trim().split(':'));
  return entries?.find((words) => !words.slice(0, -1).includes('viewer'))?.at(-1);
}

function complain(message: string): void {
  process.stderr.write(`${message}\n`);
}
