import type { Finding, Say } from '../support/report.ts';
import { start } from './children.ts';
import { openGround } from './ground.ts';
import { atHalfLoad, lone } from './latency.ts';
import { outage } from './outage.ts';
import { type Contest, startAll, throughput } from './throughput.ts';

export interface IngestOptions {
  readonly rounds: number;
  /** Milliseconds of a round at full load; one at a given rate is half as long again. */
  readonly ms: number;
  /** Deliveries while SQS is out. */
  readonly deliveries: number;
}

/** Runs the whole benchmark, about four minutes. Nothing else may run on the machine meanwhile. */
export async function benchIngest({ rounds, ms, deliveries }: IngestOptions, say: Say): Promise<readonly Finding[]> {
  const ground = await openGround(100);
  const loader = await start('load');
  const contest: Contest = { ground, loader, say, roundMs: ms, pacedMs: 1.5 * ms, rounds };
  const servers = await startAll(ground);
  try {
    const findings = [
      ...(await throughput(contest, servers)),
      ...(await atHalfLoad(contest, servers)),
      await lone(contest, servers.ours),
    ];
    for (const server of Object.values(servers)) server.kill();
    const fresh = await ground.start('ours');
    findings.push(await outage(contest, fresh, deliveries));
    fresh.kill();
    return findings;
  } finally {
    loader.kill();
    for (const server of Object.values(servers)) server.kill();
    await ground.close();
  }
}
