import type { Config } from './config.ts';
import { ConfigError, readConfig } from './config.ts';
import { type DevConfig, DevConfigError, readDevConfig } from './dev/dev-config.ts';
import { exitUnhealable, exitWithParent, isPortTaken, tellParentReady } from './dev/parent.ts';
import { runDev } from './dev/supervisor.ts';
import { createLogger, type Logger } from './log.ts';
import { runSimulator, simulatorComplaints } from './simulator/main.ts';
import { demoCredentials } from './simulator/simulator.ts';

/** What runs until it is told to stop. */
interface Running {
  readonly port?: number;
  /** Asks it to finish; `ended` tells when it has. */
  readonly stop: () => void;
  readonly ended: Promise<void>;
}

const PARTS = { dev, api, worker, simulator } as const;
const USAGE = `Usage: node src/main.ts ${Object.keys(PARTS).join(' | ')}`;

async function dev(): Promise<void> {
  const config = devConfig();
  const seed = process.env['SIMULATOR_SEED'] ?? 'gladly';
  process.exit(await runDev(config, { main: import.meta.filename, demoCredentials: demoCredentials(seed) }));
}

/** All that is wrong with the environment at once: that of the product, and that of the simulated Gladly. */
function devConfig(): DevConfig {
  const complaints = [...simulatorComplaints(process.env)];
  try {
    const config = readDevConfig(process.env);
    if (complaints.length === 0) return config;
  } catch (error) {
    if (!(error instanceof DevConfigError)) throw error;
    complaints.unshift(...error.message.split('\n'));
  }
  const byVariable = new Map(complaints.map((line) => [line.split(':')[0], line]));
  throw new DevConfigError([...byVariable.values()].join('\n'));
}

async function api(): Promise<void> {
  const config = readConfig(process.env, 'api');
  const log = createLogger('api', config.LOG_LEVEL);
  const { startApi } = await import('./api/main.ts');
  await untilStopped('api', config, log, () => startApi(config, log));
}

async function worker(): Promise<void> {
  const config = readConfig(process.env, 'worker');
  const log = createLogger('worker', config.LOG_LEVEL);
  const { startWorker } = await import('./worker.ts');
  await untilStopped('worker', config, log, () => startWorker(config, log));
}

async function simulator(): Promise<void> {
  const running = await runSimulator(process.env);
  tellParentReady({ port: Number(new URL(running.url).port) });
  await signalled();
  await running.close();
  process.exit(0);
}

/** Runs a part until a signal ends it, or it ends by itself, which is a failure. */
async function untilStopped(part: string, config: Config, log: Logger, start: () => Promise<Running>): Promise<void> {
  // Closed before it was up: nothing is lost by leaving at once.
  const leave = (): never => process.exit(0);
  process.once('SIGTERM', leave).once('SIGINT', leave);
  const running = await start();
  process.off('SIGTERM', leave).off('SIGINT', leave);
  log.info({ port: running.port, publicUrl: config.PUBLIC_URL }, `${part} is up`);
  tellParentReady(running.port === undefined ? {} : { port: running.port });
  let asked = false;
  signalled().then(() => {
    asked = true;
    running.stop();
  }, leave);
  await running.ended;
  log.info(`${part} has ended`);
  process.exit(asked ? 0 : 1);
}

/** Ctrl-C, or what a supervisor or a container platform sends. A second one does not change anything. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve()).on('SIGINT', () => resolve());
  });
}

const part = process.argv[2] ?? '';
if (part !== 'dev') exitWithParent();
try {
  if (!Object.hasOwn(PARTS, part)) await exitUnhealable(USAGE);
  await PARTS[part as keyof typeof PARTS]();
} catch (error) {
  const known = error instanceof Error && (error instanceof ConfigError || error instanceof DevConfigError);
  if (known) await exitUnhealable(`The environment does not fit:\n${error.message}`);
  if (error instanceof Error && error.name === 'SimulatorEnvironmentError') await exitUnhealable(error.message);
  if (isPortTaken(error))
    await exitUnhealable(`${part}: ${(error as Error).message}. Stop what has the port, or set another.`);
  process.stderr.write(`${part}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
