/** What can be changed while the simulator runs (PATCH /simulator/settings). Not kept over a restart. */
export type Settings = {
  /** Changes per second of the organization's own life; 0 stops it. A change sends one to three events. */
  rate: number;
  /** Requests a second per method (gladly.md 2.4); null lifts the limit. */
  quotaPerSecond: number | null;
  /**
   * sliding: never more than the limit in any second. fixed: by the second of the clock. Which one Gladly has is
   * unknown (gladly.md 6.12); a client that lives with sliding lives with both.
   */
  quotaWindow: 'sliding' | 'fixed';
  /** How far the events API is behind, in simulated seconds: "up to 15" (gladly.md 1.5). */
  eventsLagSeconds: number;
  /** Lets webhooks subscribe to MESSAGE/RECEIVED, as in an organization of 2021, and sends it. */
  legacyEvents: boolean;
  /** Real milliseconds that a receiver has to answer: 15 s (gladly.md 1.3). */
  deliveryTimeoutMs: number;
  /** Deliveries under way at a time, for each webhook. */
  deliveriesInFlight: number;
  /**
   * Each delivery starts up to so many real milliseconds after its event, by chance: no order is promised
   * (gladly.md 1.3), so none is kept.
   */
  deliveryJitterMs: number;
  /** What a PING holds besides its type is unknown (gladly.md 6.1): nothing, or the fields of other events. */
  pingBody: 'type-only' | 'envelope';
  /**
   * How far the clocks of Gladly's nodes are off, in ms: each answer's `Date` is of one of them, by chance. Whether they differ is unknown
   * (gladly.md 6.13).
   */
  nodeClocksMs: readonly number[];
  /** How long a new conversation cannot be read, in real ms: a read replica may be behind (gladly.md 6.8). */
  newLagMs: number;
  /**
   * Requests a second, per method, of somebody else's client of the same organization (gladly.md 7.4). It asks evenly, and
   * whoever asks first gets what is free: far above `quotaPerSecond` it takes all of the quota. 0: nobody.
   */
  rivalPerSecond: number;
};

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  rate: 0,
  quotaPerSecond: 10,
  quotaWindow: 'sliding',
  eventsLagSeconds: 15,
  legacyEvents: false,
  deliveryTimeoutMs: 15_000,
  deliveriesInFlight: 50,
  deliveryJitterMs: 20,
  pingBody: 'type-only',
  nodeClocksMs: [0],
  newLagMs: 0,
  rivalPerSecond: 0,
};
