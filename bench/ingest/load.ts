export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly requests: number;
  /** Requests per second over all connections; null: each connection sends as soon as it is answered. */
  readonly perSecond: number | null;
  readonly tenants: readonly { readonly tenantId: string; readonly key: string }[];
  /** Prefix of event ids. */
  readonly label: string;
}

export interface LoadResult {
  /** Answers by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
