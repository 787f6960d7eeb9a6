/** Limits of SQS (from the SQS developer guide, "Quotas" and "SendMessageBatch"), and the settings of our queues. */

/** Entries in one batch call. */
export const MAX_BATCH_ENTRIES = 10;

/**
 * Most bytes (UTF-8) of one message, and of all messages of one batch together. AWS raised it to 1 MiB in August 2025 for new queues;
 * older queues and ElasticMQ (measured: "Batch requests cannot be longer than 262144 bytes") still have this limit. It is 600 times the
 * size of a Gladly event; larger messages go into the ledger.
 */
export const MAX_MESSAGE_BYTES = 262_144;

/** Longest long poll, in seconds. */
export const MAX_WAIT_SECONDS = 20;

export const DAY_SECONDS = 86_400;

/** Retention of the dead-letter queue: the longest that SQS offers, because a message there waits for a person. */
export const DEAD_RETENTION_DAYS = 14;

/**
 * A message that was received and not deleted becomes visible again after this many seconds. Intake writes and deletes it in far less than
 * one; a minute outlasts a stall of Postgres, and is the delay of messages that a killed worker had received.
 */
export const VISIBILITY_SECONDS = 60;

/**
 * Receives after which a message goes to the dead-letter queue. Killed workers and outages of Postgres also use up receives and must not
 * send good messages there, so the number is far above what outages need. A message that breaks intake every time is moved after 20
 * minutes.
 */
export const MAX_RECEIVES = 20;

/**
 * A released message becomes visible again after this many seconds. Not 0: fauxqs 2.4 with a folder fails such a call after it has dropped
 * the message, which is then missing until its next start (test/integration/queue/receiving.test.ts). A second also keeps a reader that
 * releases everything from spinning.
 */
export const RELEASE_SECONDS = 1;
