/** How a drain paces itself. Times in milliseconds. */
export interface DrainLimits {
  /** A drain ends after this long at the latest, and another one follows: a workflow continues as new only between two. */
  readonly budgetMs: number;
  /** The same while nearly all slots of the worker are taken and none of their drains is idle: others may be waiting for this one. */
  readonly crowdedBudgetMs: number;
  /** The longest that a tenant stays awake with nothing to do (pace.ts). */
  readonly parkAfterMs: number;
  /** How long a receive waits for a first message: 1 to 20 s. */
  readonly receiveWaitSeconds: number;
  /** A conversation is read when it was quiet for `settleMs`, at the latest `settleMaxMs` after its first waiting event. */
  readonly settleMs: number;
  readonly settleMaxMs: number;
  /** What an event names, and Gladly does not have, is gone after so long. */
  readonly patienceMs: number;
}

/**
 * Receives in flight while the queue is full; SQS gives 10 messages a receive. A receive waits more than it works: with 16 in flight, and
 * READINGS and CONVERSATIONS_PER_TRANSACTION twice what they were, a backlog of 20,000 went from 470 to 800 events a second (one
 * run each of `npm run bench -- drain`, quota lifted).
 */
export const RECEIVERS = 16;

/** Rows of one transaction. From some hundred on, a row costs the same; more only holds up others. */
export const ROWS_PER_TRANSACTION = 500;

/** Bytes of the messages of one transaction: Postgres and the driver hold a statement several times over. */
export const BYTES_PER_TRANSACTION = 8 * 1024 * 1024;

/**
 * While the queue is full, rows gather this long before they are written: a transaction costs as much as a hundred rows. (Without it a
 * backlog of 10,000 took 636 transactions of 16 rows.) A single event is not delayed.
 */
export const GATHER_ROWS_MS = 50;

/** Messages of one drain in memory that are not written yet. */
export const ROWS_IN_MEMORY = 2_000;

/**
 * The same in bytes, of all drains of a worker, together with what is being read of Gladly or waits to be stored: 50 of the largest receives, or
 * six of the largest conversations. Their texts and objects take some three times as much.
 */
export const BYTES_IN_MEMORY = 128 * 1024 * 1024;

/** How soon a queue that could not be read is tried again, in milliseconds. Deliveries go into the ledger meanwhile. */
export const QUEUE_RETRY_MS = 1_000;

/** The same for one that does not exist or is refused, which takes a person or the sweep. */
export const QUEUE_GONE_MS = 60_000;

/** What a reading begins with, of BYTES_IN_MEMORY: more than most conversations have. 2,000 of them fit. */
export const FIRST_BYTES = 64 * 1024;

/** The most that one takes: the largest answer that is read (20 MB, src/gladly/client.ts), and some. */
export const MOST_BYTES = 24 * 1024 * 1024;

/** Conversations of one drain being read, or read and not stored yet. The governor spreads the requests; BYTES_IN_MEMORY bounds what they are. */
export const READINGS = 48;

/** Conversations written in one transaction. */
export const CONVERSATIONS_PER_TRANSACTION = 32;

/**
 * With half of READINGS in hand, which only a backlog and a generous quota bring about, conversations gather this long: to be asked for
 * and to be written together. At Gladly's usual quota nothing waits for company.
 */
export const GATHER_READINGS_MS = 60;

/**
 * What an event names may show up in Gladly a moment later (gladly.md 6.8: how much later is unknown): looks until DrainLimits.patienceMs is
 * over, the last distance again and again.
 */
export const ITEM_LOOKS_MS = [1_000, 3_000, 10_000, 30_000, 120_000] as const;

/** So many of these looks read the conversation as a whole; the later ones only the item. */
export const WHOLE_LOOKS = 3;

/** A list of items that timed out, or was refused, so often in a row is done without: for more than a minute (READING_RETRY_MS). */
export const LIST_GIVEN_UP = 3;

/**
 * Waits between readings of one conversation that failed in a way of its own, while others worked; what no time heals is rejected after the last.
 * Some quarter of an hour in all, as for what is not there.
 */
export const READING_RETRY_MS = [2_000, 10_000, 60_000, 300_000, 600_000] as const;

/** A conversation that may be in trouble with all others is asked for again after so long, in ms: others go first. */
export const DOUBT_RETRY_MS = 20_000;

/** A drain that is to end waits so long at most until Gladly may be asked again, in ms. */
export const LONGEST_HOLD_MS = 5_000;

/** So many conversations may fail one after the other, with Gladly answering otherwise, before others are asked for. */
export const FAILING_ALONE = 3;

/** Conversations that Gladly showed before and that are asked for then, at most: some may be gone, all of them are not. */
export const WITNESSES = 5;

/** What was found out of Gladly as a whole holds for so long, in ms. */
export const GLADLY_KNOWN_MS = 3_000;

/** An organization that answered before may answer with somebody else's pages for so long before a person is asked, in ms: maintenance. */
export const MAINTENANCE_MS = 900_000;

/** Waits before a retryable reading is tried again, in ms; after them Gladly counts as unavailable. */
export const AT_ONCE_AGAIN_MS = [300, 1_200] as const;

/** Agents, inboxes, teams and topics seldom change; an id that we do not know is a sign that they did. */
export const REFERENCE_MAX_AGE_MS = 24 * 3_600_000;
export const REFERENCE_MIN_AGE_MS = 600_000;

/** This part of the picks goes to the freshest conversations, so that a backlog never starves them. */
export const NEWEST_SHARE = 0.25;

/**
 * How often a drain says that its worker lives, and nothing else: a heartbeat is a billable action, 3,927 a day so. Below `heartbeatTimeout` of
 * workflows/extraction/workflow.ts.
 */
export const HEARTBEAT_MS = 22_000;

/** How often a worker writes down what its drains saw, for status, charts and alerts; only of those that saw something. */
export const NOTE_MS = 4_000;

/** The same of a drain that saw nothing, in ms: the sweep takes one that is silent for longer for dead (NOBODY_AT_IT_MS). */
export const NOTE_IDLE_MS = 60_000;

/** How often a drain looks whether its events go on, in ms; a standstill is told of after two minutes. */
export const PROGRESS_MS = 20_000;

/** How often a worker asks what its drains are to do, in ms. */
export const ORDERS_MS = 500;

/** A queue that could not be read for so long, in ms, is somebody's trouble, and is told of. */
export const QUEUE_TROUBLE_MS = 5_000;

/** Longest wait of a drain with nothing to do before it looks into the ledger by itself, in ms. Who puts something there tells it (store/drains.ts). */
export const LEDGER_LOOK_MS = 60_000;

/** Messages that a dead receiver had are hidden for VISIBILITY_SECONDS (60) at most: they are looked for this often. */
export const HIDDEN_LOOK_MS = 5_000;
