/** What SQS allows and asks for. AWS's numbers are of the SQS developer guide, "Quotas" and "SendMessageBatch". */

/** Entries in one batch call. */
export const MAX_BATCH_ENTRIES = 10;

/**
 * Bytes (UTF-8) of one message, and of all messages of one batch together. AWS raised it to 1 MiB in August 2025 for queues made
 * since; queues made before and ElasticMQ (measured: "Batch requests cannot be longer than 262144 bytes") still have this one.
 * It is 600 times a Gladly event; what is larger goes straight into the ledger.
 */
export const MAX_MESSAGE_BYTES = 262_144;

/** Seconds of the longest poll. */
export const MAX_WAIT_SECONDS = 20;

export const DAY_SECONDS = 86_400;

/** The dead-letter queue keeps as long as SQS can: a message there waits for a person. */
export const DEAD_RETENTION_DAYS = 14;

/**
 * A message that was received and not deleted is seen again after this many seconds. Intake needs far less than one to write and
 * delete it; a minute outlasts a stall of Postgres, and is what a killed worker costs in freshness.
 */
export const VISIBILITY_SECONDS = 60;

/**
 * Receives after which a message goes to the dead-letter queue. A receive is also spent when a worker is killed or Postgres goes
 * away in between, and none of these may send a good message there; so it is far above what outages need, and a message
 * that breaks intake each time is out of the way after 20 minutes.
 */
export const MAX_RECEIVES = 20;

/**
 * What is handed back to the queue is visible again after this many seconds. Not 0: fauxqs 2.4 with a folder fails that call after
 * it has dropped the message, which is then gone until its next start (test/integration/queue/receiving.test.ts). A second also keeps
 * a reader that hands back what it cannot use from spinning.
 */
export const RELEASE_SECONDS = 1;
