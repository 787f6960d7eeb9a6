import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { isNoSuchQueue } from './errors.ts';
import { DAY_SECONDS, DEAD_RETENTION_DAYS, MAX_RECEIVES, MAX_WAIT_SECONDS, VISIBILITY_SECONDS } from './limits.ts';
import { deadQueueName, QUEUE_PREFIX, type QueueUrls, queueName } from './names.ts';

/** Numbers of messages in one queue, which SQS calls approximate: visible, received and not deleted, and delayed. */
export interface Depth {
  readonly waiting: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** The number of all messages in a queue. */
export const totalOf = ({ waiting, inFlight, delayed }: Depth): number => waiting + inFlight + delayed;

export interface Depths {
  readonly queue: Depth;
  readonly dead: Depth;
}

export type Removal = { readonly kind: 'removed' } | { readonly kind: 'not_empty'; readonly depths: Depths };

/** Manages the two queues of a tenant. Every call may be made twice. Rejects with the SDK's errors. */
export interface Queues {
  /** Creates both queues, or changes the attributes of existing ones. `retentionDays`: of the queue, 1 to 14. */
  provision(tenantId: string, retentionDays: number): Promise<QueueUrls>;
  /** The URLs of both queues, or null when one of them does not exist. */
  find(tenantId: string): Promise<QueueUrls | null>;
  /** `retentionDays`: 1 to 14. */
  setRetention(queueUrl: string, retentionDays: number): Promise<void>;
  depths(urls: QueueUrls): Promise<Depths>;
  /** Deletes both queues; `not_empty` when one of them holds messages and `discard` is not set. Queues that do not exist are no error. */
  remove(urls: QueueUrls, options?: { readonly discard?: boolean }): Promise<Removal>;
}

type Attributes = Partial<Record<QueueAttributeName, string>>;

/** `prefix`: of all queue names, QUEUE_PREFIX by default. */
export function createQueues(client: SQSClient, options: { readonly prefix?: string } = {}): Queues {
  const prefix = options.prefix ?? QUEUE_PREFIX;

  async function find(tenantId: string): Promise<QueueUrls | null> {
    const [queue, dead] = await Promise.all([
      urlOf(client, queueName(tenantId, prefix)),
      urlOf(client, deadQueueName(tenantId, prefix)),
    ]);
    return queue === null || dead === null ? null : { queue, dead };
  }

  async function depths(urls: QueueUrls): Promise<Depths> {
    const [queue, dead] = await Promise.all([depthOf(client, urls.queue), depthOf(client, urls.dead)]);
    return { queue, dead };
  }

  return {
    find,
    depths,

    async provision(tenantId, retentionDays) {
      const reading: Attributes = {
        VisibilityTimeout: String(VISIBILITY_SECONDS),
        ReceiveMessageWaitTimeSeconds: String(MAX_WAIT_SECONDS),
      };
      const dead = await ensure(client, deadQueueName(tenantId, prefix), {
        ...reading,
        ...retention(DEAD_RETENTION_DAYS),
      });
      const deadArn = (await attributesOf(client, dead, ['QueueArn'])).QueueArn;
      if (deadArn === undefined) throw new Error(`SQS returned no ARN for ${dead}`);
      const queue = await ensure(client, queueName(tenantId, prefix), {
        ...reading,
        ...retention(retentionDays),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: MAX_RECEIVES }),
      });
      return { queue, dead };
    },

    async setRetention(queueUrl, retentionDays) {
      await client.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: retention(retentionDays) }));
    },

    async remove(urls, { discard = false } = {}) {
      if (!discard) {
        const found = await Promise.all([depthOrNone(client, urls.queue), depthOrNone(client, urls.dead)]);
        const [queue, dead] = found;
        if (found.some((depth) => depth.waiting + depth.inFlight + depth.delayed > 0)) {
          return { kind: 'not_empty', depths: { queue, dead } };
        }
      }
      await Promise.all([removeQueue(client, urls.queue), removeQueue(client, urls.dead)]);
      return { kind: 'removed' };
    },
  };
}

const retention = (days: number): Attributes => ({ MessageRetentionPeriod: String(days * DAY_SECONDS) });

async function ensure(client: SQSClient, name: string, wanted: Attributes): Promise<string> {
  // Looked up first: creating an existing queue with other attributes is an error whose name differs between SQS and emulators.
  const url = (await urlOf(client, name)) ?? (await create(client, name, wanted));
  const names = Object.keys(wanted) as QueueAttributeName[];
  const found = await attributesOf(client, url, names);
  const differs = names.some((key) => !sameAttribute(key, found[key], wanted[key]));
  if (differs) await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: wanted }));
  return url;
}

/** Compares RedrivePolicy as JSON: SQS may return its keys in another order or its number as a string. */
function sameAttribute(name: string, found: string | undefined, wanted: string | undefined): boolean {
  if (name !== 'RedrivePolicy' || found === undefined || wanted === undefined) return found === wanted;
  const sorted = (json: string): string =>
    JSON.stringify(
      Object.entries(JSON.parse(json) as Record<string, unknown>)
        .map(([key, value]) => [key, String(value)])
        .sort(),
    );
  return sorted(found) === sorted(wanted);
}

/** Creates a queue. When that fails because another process has just created it, the URL of that queue is returned. */
async function create(client: SQSClient, name: string, attributes: Attributes): Promise<string> {
  try {
    const made = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    if (made.QueueUrl !== undefined) return made.QueueUrl;
  } catch (error) {
    const url = await urlOf(client, name);
    if (url === null) throw error;
    return url;
  }
  throw new Error(`SQS created the queue ${name} and returned no URL`);
}

async function urlOf(client: SQSClient, name: string): Promise<string | null> {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? null;
  } catch (error) {
    if (isNoSuchQueue(error)) return null;
    throw error;
  }
}

async function attributesOf(client: SQSClient, url: string, names: QueueAttributeName[]): Promise<Attributes> {
  const answer = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: names }));
  return answer.Attributes ?? {};
}

const DEPTH_NAMES: QueueAttributeName[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
];

async function depthOf(client: SQSClient, url: string): Promise<Depth> {
  const found = await attributesOf(client, url, DEPTH_NAMES);
  return {
    waiting: Number(found.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(found.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(found.ApproximateNumberOfMessagesDelayed ?? 0),
  };
}

async function depthOrNone(client: SQSClient, url: string): Promise<Depth> {
  try {
    return await depthOf(client, url);
  } catch (error) {
    if (isNoSuchQueue(error)) return { waiting: 0, inFlight: 0, delayed: 0 };
    throw error;
  }
}

async function removeQueue(client: SQSClient, url: string): Promise<void> {
  try {
    await client.send(new DeleteQueueCommand({ QueueUrl: url }));
  } catch (error) {
    if (!isNoSuchQueue(error)) throw error;
  }
}
