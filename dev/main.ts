/** `npm start`: the embedded world, connected to a simulated Gladly, until a signal ends it. */
import { join } from 'node:path';
import { simulatorComplaints } from '../simulator/environment.ts';
import { demoCredentials } from '../simulator/simulator.ts';
import { exitUnhealable } from '../src/roles/parent.ts';
import { type DevConfig, DevConfigError, readDevConfig } from './dev-config.ts';
import { runDev } from './supervisor.ts';

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

try {
  const root = join(import.meta.dirname, '..');
  const code = await runDev(devConfig(), {
    product: join(root, 'src/main.ts'),
    simulator: [join(root, 'simulator/main.ts')],
    demoCredentials: demoCredentials(process.env['SIMULATOR_SEED'] ?? 'gladly'),
  });
  process.exit(code);
} catch (error) {
  if (error instanceof DevConfigError) await exitUnhealable(`The environment does not fit:\n${error.message}`);
  throw error;
}
