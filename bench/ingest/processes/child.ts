/** The messages of every server of this benchmark to its parent: its port, and the resources it has used. */
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
