import { expect, test } from 'vitest';
import { readDevConfig } from '../../../dev/dev-config.ts';
import { STOP_ORDER } from '../../../dev/running-world.ts';
import { worldParts } from '../../../dev/world.ts';

test('after Ctrl-C the parts get less than 5 s in all, those of a stage side by side', () => {
  const keys = { operatorKey: 'k', secretKeys: 's' };
  const parts = worldParts(readDevConfig({}), {
    product: 'product',
    simulator: ['simulator'],
    keys,
    temporalCli: () => '',
    postgresPort: () => 0,
  });
  const stages = STOP_ORDER.map((names) => Math.max(...names.map((name) => parts[name]?.stopMs ?? 0)));
  expect(stages.every((ms) => ms > 0)).toBe(true);
  expect(stages.reduce((sum, ms) => sum + ms)).toBeLessThan(5_000);
});
