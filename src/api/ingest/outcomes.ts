/** All outcomes of a webhook delivery, with the HTTP status, problem title and Retry-After of each. */
export const OUTCOMES = {
  /** Durable in SQS. */
  queued: { status: 200 },
  /** Durable in the ledger: SQS is out, or the body is too large for it. */
  ledgered: { status: 200 },
  /** Gladly's test call. Gladly expects a success, and onboarding waits for it. */
  pinged: { status: 200 },

  /** A wrong key or an unknown tenant: the sender cannot tell which. */
  wrong_key: { status: 401, title: 'The x-api-key header does not hold a key of this webhook' },
  wrong_method: { status: 405, title: 'Webhook deliveries are sent with POST' },
  /** The sender stopped in the middle of the request. */
  too_slow: { status: 408, title: 'The request did not arrive in time' },
  too_large: { status: 413, title: 'The body is larger than 256 KiB' },
  unknown_encoding: { status: 415, title: 'The content-encoding of the body is not one of gzip, deflate, br' },
  /** For requests with a wrong key only: a right key is never counted. */
  too_many_wrong_keys: { status: 429, title: 'Too many requests with a wrong key from this address', retryAfter: 10 },
  /** The bytes could not be parsed as HTTP. */
  malformed: { status: 400, title: 'The request is not valid HTTP' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },

  /** Neither SQS nor Postgres confirmed it. Gladly sends it again after 30 s (gladly.md 1.3). */
  nowhere_to_keep: { status: 503, title: 'The delivery could not be stored, please send it again', retryAfter: 30 },
  /** The webhook keys have not been loaded yet: the process has just started, or Postgres is out since then. */
  keys_unknown: { status: 503, title: 'Starting, please send it again', retryAfter: 30 },
  /** The sender closed the connection before its body was complete, so there is no answer. */
  hung_up: { status: null },
} as const satisfies Record<string, Answer>;

interface Answer {
  readonly status: number | null;
  readonly title?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

export type Outcome = keyof typeof OUTCOMES;

/** The outcomes of the engine: the others are decided before it. */
export type EngineOutcome = 'queued' | 'ledgered' | 'pinged' | 'nowhere_to_keep';

export const outcomeNames = Object.keys(OUTCOMES) as Outcome[];
/** The status is null for an outcome whose connection is gone. */
export const answerOf = (outcome: Outcome): Answer => OUTCOMES[outcome];
