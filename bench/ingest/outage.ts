import { figure } from '../support/figures.ts';
import type { Finding } from '../support/report.ts';
import type { Child } from './children.ts';
import type { Contest } from './throughput.ts';

/** The peak memory of the process while SQS is dead and so many deliveries come as fast as they are answered. */
export async function outage({ ground, loader, say }: Contest, ours: Child, deliveries: number): Promise<Finding> {
  ground.sqs.kill();
  let peak = 0;
  const watch = setInterval(async () => {
    peak = Math.max(peak, (await ours.usage()).rssBytes);
  }, 100);
  const [tenant] = ground.tenants;
  if (tenant === undefined) throw new Error('no tenant');
  const order = { port: ours.port, connections: 50, durationMs: 600_000, requests: deliveries, perSecond: null };
  const { statuses, seconds, p99Ms } = await loader.load({ ...order, tenants: [tenant], label: 'outage' });
  clearInterval(watch);
  const { rows } = await ground.db.query<{ count: number }>(
    'SELECT count(*) AS count FROM events WHERE tenant_id = $1',
    [tenant.tenantId],
  );
  const accepted = statuses['200'] ?? 0;
  if (rows[0]?.count !== accepted) throw new Error(`${accepted} accepted, but ${rows[0]?.count} in the ledger`);
  say(`SQS out: ${JSON.stringify(statuses)} in ${seconds.toFixed(0)} s, p99 ${p99Ms.toFixed(0)} ms`);
  return {
    figure: figure('outage_rss_mb', peak / 1024 / 1024, 'MB', 'lower', 300),
    how: `the highest of ten looks a second at a process that was just started, while SQS was dead and ${deliveries} deliveries came on 50 connections as fast as they were answered; ${JSON.stringify(statuses).replaceAll('"', '')} in ${seconds.toFixed(0)} s, p99 ${p99Ms.toFixed(0)} ms; every accepted one was found in the ledger`,
  };
}
