import { start } from './children.ts';
import type { Figure } from './figures.ts';
import { openGround } from './ground.ts';
import { atHalfLoad, lone } from './latency.ts';
import { outage } from './outage.ts';
import { type Contest, throughput } from './throughput.ts';

/** All of it, in two to three minutes. Nothing else may run on the machine meanwhile. */
export async function benchIngest(say: (line: string) => void): Promise<Figure[]> {
  const ground = await openGround(100);
  const loader = await start('load');
  const contest: Contest = { ground, loader, say, roundMs: 2_000, rounds: 5 };
  try {
    const { figures, ours } = await throughput(contest);
    figures.push(await atHalfLoad(contest, ours), await lone(contest, ours));
    ours.kill();
    const fresh = await ground.start('ours');
    figures.push(await outage(contest, fresh));
    fresh.kill();
    return figures;
  } finally {
    loader.kill();
    await ground.close();
  }
}
