import type { Finding, Say } from '../support/report.ts';
import { start } from './children.ts';
import { openGround } from './ground.ts';
import { atHalfLoad, lone } from './latency.ts';
import { outage } from './outage.ts';
import { type Contest, startAll, throughput } from './throughput.ts';

/** Runs the whole benchmark, about four minutes. Nothing else may run on the machine meanwhile. */
export async function benchIngest(say: Say): Promise<readonly Finding[]> {
  const ground = await openGround(100);
  const loader = await start('load');
  const contest: Contest = { ground, loader, say, roundMs: 2_000, rounds: 5 };
  const servers = await startAll(ground);
  try {
    const findings = [
      ...(await throughput(contest, servers)),
      await atHalfLoad(contest, servers),
      await lone(contest, servers.ours),
    ];
    for (const server of Object.values(servers)) server.kill();
    const fresh = await ground.start('ours');
    findings.push(await outage(contest, fresh));
    fresh.kill();
    return findings;
  } finally {
    loader.kill();
    for (const server of Object.values(servers)) server.kill();
    await ground.close();
  }
}
