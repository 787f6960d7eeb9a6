import { expect, test } from 'vitest';
import { z } from 'zod';
import { identify } from '../../dev/processes.ts';
import { DevWorld, REAL, until } from '../support/dev-world.ts';
import { audit, Pipeline, placesOf } from '../support/pipeline.ts';

const STARTS = 10;

test(`killed with SIGKILL, the supervisor too, and started again ${STARTS} times in a row: it comes up, complete, and nothing of an earlier start is left`, {
  timeout: 400_000,
}, async () => {
  const world = await DevWorld.make({ SIMULATOR_RATE: '0' }, REAL);
  const pipeline = new Pipeline(() => placesOf(world.dataDir));
  const earlier = new Set<number>();
  for (let start = 1; start <= STARTS; start += 1) {
    world.start();
    await world.saying('Idiomatic for Gladly runs', 150_000);
    const pids = Object.values(world.run()).map(({ pid }) => pid);
    expect(pids).toHaveLength(8);
    expect([...earlier].filter((pid) => !pids.includes(pid) && identify(pid) !== undefined)).toEqual([]);
    await pipeline.when('connected', ({ onboarding }) => onboarding?.state === 'done');
    await pipeline.emit(10);
    for (const pid of pids) earlier.add(pid);
    // Every other time only the supervisor: what it leaves ends by itself, or is ended by the next start.
    for (const pid of start % 2 === 0 ? pids : [world.pidOf('supervisor')]) process.kill(pid, 'SIGKILL');
    await world.ended();
  }
  world.start();
  await world.saying('Idiomatic for Gladly runs', 60_000);
  await pipeline.control('PATCH', '/simulator/settings', { clockFactor: 100 }, z.unknown());
  await until(
    async () => {
      const { delivered, lost, wrong, states } = await audit(pipeline);
      return delivered === 10 * STARTS && lost.length + wrong.length === 0 && states['extracted'] === delivered;
    },
    120_000,
    () => 'not everything that was emitted is stored',
  );
});
