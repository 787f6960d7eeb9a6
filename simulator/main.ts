/** `npm run simulator`: the simulated Gladly as a process of its own, until a signal ends it. */
import { exitUnhealable, exitWithParent, isPortTaken, tellParentReady } from '../src/roles/parent.ts';
import { runSimulator, SimulatorEnvironmentError } from './environment.ts';

exitWithParent();
try {
  const running = await runSimulator(process.env);
  tellParentReady({ port: Number(new URL(running.url).port) });
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => void running.close().finally(() => process.exit(0)));
  }
} catch (error) {
  if (error instanceof SimulatorEnvironmentError) await exitUnhealable(error.message);
  if (isPortTaken(error))
    await exitUnhealable(`simulator: ${(error as Error).message}. Stop what has the port, or set another.`);
  throw error;
}
