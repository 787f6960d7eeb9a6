/** What every server of this benchmark says about itself: where it listens, and what it has used. */
export interface Usage {
  /** CPU time of the process since it started, in microseconds. */
  readonly cpuUs: number;
  readonly rssBytes: number;
}

export function serveUsage(port: number, more: () => Record<string, unknown> = () => ({})): void {
  process.on('message', (message) => {
    if (message !== 'usage') return;
    const { user, system } = process.cpuUsage();
    process.send?.({ usage: { cpuUs: user + system, rssBytes: process.memoryUsage.rss(), ...more() } });
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ port });
}
