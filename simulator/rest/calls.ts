type CallCount = { key: string; calls: number; refused: number };
type CallReport = {
  sinceMs: number;
  calls: number;
  /** Answered with 429. */
  refused: number;
  byEndpoint: CallCount[];
  byStatus: Record<string, number>;
  byClient: CallCount[];
};

/** Counts the API calls since a mark, for tests and benchmarks: by endpoint, by status, by client. In memory. */
export type Calls = {
  record(endpoint: string, client: string, status: number): void;
  report(): CallReport;
  /** Starts again from nothing. */
  mark(): void;
};

/** More different clients than this are counted together: the list must not grow without end. */
const MOST_CLIENTS = 1_000;

export function createCalls(): Calls {
  let since = Date.now();
  const endpoints = new Map<string, CallCount>();
  const clients = new Map<string, CallCount>();
  const statuses = new Map<string, number>();

  function count(counts: Map<string, CallCount>, key: string, refused: boolean): void {
    const known = counts.get(key) ?? { key, calls: 0, refused: 0 };
    counts.set(key, { key, calls: known.calls + 1, refused: known.refused + (refused ? 1 : 0) });
  }

  return {
    record: (endpoint, client, status) => {
      const refused = status === 429;
      count(endpoints, endpoint, refused);
      count(clients, clients.has(client) || clients.size < MOST_CLIENTS ? client : 'others', refused);
      statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
    },
    report: () => {
      const byEndpoint = [...endpoints.values()];
      const sum = (field: 'calls' | 'refused'): number => byEndpoint.reduce((total, entry) => total + entry[field], 0);
      return {
        sinceMs: Date.now() - since,
        calls: sum('calls'),
        refused: sum('refused'),
        byEndpoint,
        byStatus: Object.fromEntries(statuses),
        byClient: [...clients.values()],
      };
    },
    mark: () => {
      since = Date.now();
      for (const counts of [endpoints, clients, statuses]) counts.clear();
    },
  };
}
