import type { Config } from './config.ts';
import { ConfigError, readConfig } from './config.ts';
import { exitUnhealable, exitWithParent, isPortTaken, tellParentReady } from './roles/parent.ts';
import { createLogger, type Logger } from './telemetry/log.ts';

/** A role at work, until it is told to stop. */
interface Running {
  readonly port?: number;
  /** Asks it to finish; `ended` tells when it has. */
  readonly stop: () => void;
  readonly ended: Promise<void>;
}

/** Each role loads its own code only. */
const ROLES = {
  api: async (config: Config, log: Logger): Promise<Running> => (await import('./roles/api.ts')).startApi(config, log),
  ingest: async (config: Config, log: Logger): Promise<Running> =>
    (await import('./roles/ingest.ts')).startIngest(config, log),
  worker: async (config: Config, log: Logger): Promise<Running> =>
    (await import('./roles/worker.ts')).startWorker(config, log),
} as const;
/** What a person runs, with the environment of a worker; each answers its exit code. 2: it could not be done. */
const COMMANDS = {
  keys: async (config: Config, args: readonly string[]): Promise<number> =>
    (await import('./roles/keys.ts')).runKeys(config, args),
} as const;
const USAGE = `Usage: node src/main.ts ${[...Object.keys(ROLES), ...Object.keys(COMMANDS)].join(' | ')}`;

const isRole = (name: string): name is keyof typeof ROLES => Object.hasOwn(ROLES, name);
const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);

async function runCommand(name: keyof typeof COMMANDS): Promise<never> {
  try {
    process.exit(await COMMANDS[name](readConfig(process.env, 'worker'), process.argv.slice(3)));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${error instanceof ConfigError ? 'The environment does not fit:\n' : ''}${said}\n`);
    process.exit(2);
  }
}

/** Runs a role until a signal ends it, or it ends by itself, which is a failure. */
async function run(role: keyof typeof ROLES): Promise<never> {
  const config = readConfig(process.env, role);
  const log = createLogger(role, config.LOG_LEVEL);
  // Closed before it was up: nothing is lost by leaving at once.
  const leave = (): never => process.exit(0);
  process.once('SIGTERM', leave).once('SIGINT', leave);
  const running = await ROLES[role](config, log);
  process.off('SIGTERM', leave).off('SIGINT', leave);
  log.info({ event: 'role.up', port: running.port, publicUrl: config.PUBLIC_URL }, `${role} is up`);
  tellParentReady(running.port === undefined ? {} : { port: running.port });
  let asked = false;
  signalled().then(() => {
    asked = true;
    running.stop();
  }, leave);
  await running.ended;
  log.info({ event: 'role.ended' }, `${role} has ended`);
  process.exit(asked ? 0 : 1);
}

/** Ctrl-C, or what a supervisor or a container platform sends. A second one does not change anything. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve()).on('SIGINT', () => resolve());
  });
}

const role = process.argv[2] ?? '';
exitWithParent();
try {
  if (isRole(role)) await run(role);
  else if (isCommand(role)) await runCommand(role);
  else await exitUnhealable(USAGE);
} catch (error) {
  if (error instanceof ConfigError) await exitUnhealable(`The environment does not fit:\n${error.message}`);
  if (isPortTaken(error))
    await exitUnhealable(`${role}: ${(error as Error).message}. Stop what has the port, or set another.`);
  process.stderr.write(`${role}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
