import { expect, test } from 'vitest';
import { runSimulator, SimulatorEnvironmentError } from '../../../simulator/environment.ts';

test('all bad variables are listed at once, and nothing is started', async () => {
  const starting = runSimulator({
    SIMULATOR_PORT: '70000',
    SIMULATOR_CLOCK_FACTOR: 'fast',
    SIMULATOR_RATE: '-1',
    SIMULATOR_CUSTOMERS: '1.5',
    SIMULATOR_ALLOW_HTTP: 'yes',
    LOG_LEVEL: 'loud',
  });
  await expect(starting).rejects.toThrow(SimulatorEnvironmentError);
  const message = await starting.catch((error: unknown) => String(error));
  for (const name of ['PORT', 'CLOCK_FACTOR', 'RATE', 'CUSTOMERS', 'ALLOW_HTTP']) {
    expect(message).toContain(`SIMULATOR_${name}: must`);
  }
  expect(message).toContain('LOG_LEVEL: must');
});

test('an empty variable counts as unset', async () => {
  const starting = runSimulator({ SIMULATOR_SEED: '', SIMULATOR_PORT: 'x' });
  await expect(starting).rejects.not.toThrow('SIMULATOR_SEED');
});
