/** Everything that can come of a webhook delivery, and what Gladly is told. This table is the whole of it. */
export const OUTCOMES = {
  /** Durable in SQS. */
  queued: { status: 200 },
  /** Durable in the ledger: SQS is out, or the body is too large for it. */
  ledgered: { status: 200 },
  /** Gladly's test call: it wants a success, and onboarding waits to hear of it. */
  pinged: { status: 200 },

  /** A wrong key, or no such tenant: nobody can tell which. */
  wrong_key: { status: 401, title: 'The x-api-key header does not hold a key of this webhook' },
  wrong_method: { status: 405, title: 'Webhook deliveries are sent with POST' },
  /** Its sender went silent in the middle. */
  too_slow: { status: 408, title: 'The request did not arrive in time' },
  too_large: { status: 413, title: 'The body is larger than 256 KiB' },
  /** Only for wrong keys: a right one is never counted. */
  too_many_wrong_keys: { status: 429, title: 'Too many requests with a wrong key from this address', retryAfter: 10 },
  /** Not HTTP as we can read it. */
  malformed: { status: 400, title: 'The request is not valid HTTP' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },

  /** Neither SQS nor Postgres took it: nothing of it is stored, and Gladly sends it again after 30 s (gladly.md 1.3). */
  nowhere_to_keep: { status: 503, title: 'The delivery could not be stored, please send it again', retryAfter: 30 },
  /** Just started, and Postgres has not said yet who may deliver. */
  keys_unknown: { status: 503, title: 'Starting, please send it again', retryAfter: 30 },
  /** The sender closed the connection before its body was complete: nobody is left to be told. */
  hung_up: { status: null },
} as const satisfies Record<string, Answer>;

interface Answer {
  readonly status: number | null;
  readonly title?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

export type Outcome = keyof typeof OUTCOMES;

/** What the engine can come to: the others never reach it. */
export type EngineOutcome = 'queued' | 'ledgered' | 'pinged' | 'nowhere_to_keep';

export const outcomeNames = Object.keys(OUTCOMES) as Outcome[];
export const answerOf = (outcome: Outcome): Answer => OUTCOMES[outcome];
