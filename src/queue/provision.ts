import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueueTagsCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  type SQSClient,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { ForeignQueueError, failureFrom, isDeletedRecently, isNoSuchQueue } from './errors.ts';
import { DAY_SECONDS, DEAD_RETENTION_DAYS, MAX_RECEIVES, MAX_WAIT_SECONDS, VISIBILITY_SECONDS } from './limits.ts';
import { deadQueueName, QUEUE_PREFIX, type QueueUrls, queueName } from './names.ts';

/** Numbers of messages in one queue, which SQS calls approximate: visible, received and not deleted, and delayed. */
export interface Depth {
  readonly waiting: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** Seconds for which the queue keeps a message; absent when SQS does not say. */
  readonly keptS?: number;
}

/** The number of all messages in a queue. */
export const totalOf = ({ waiting, inFlight, delayed }: Depth): number => waiting + inFlight + delayed;

export interface Depths {
  readonly queue: Depth;
  readonly dead: Depth;
}

export type Removal = { readonly kind: 'removed' } | { readonly kind: 'not_empty'; readonly depths: Depths };

/**
 * Manages the two queues of a tenant. Every call may be made twice. Rejects with the SDK's errors, and with ForeignQueueError when a queue
 * of that name is tagged as another tenant's: such a queue is neither used nor deleted.
 */
export interface Queues {
  /**
   * Creates both queues, or changes the attributes of existing ones. `retentionDays`: of the queue, 1 to 14. Rejects with QueueDeletedRecently
   * (`isDeletedRecently`) within 60 s of a deletion: the old queue may answer for so long, and what is sent to it is lost.
   */
  provision(tenantId: string, retentionDays: number): Promise<QueueUrls>;
  /** The URLs of both queues, or null when one of them does not exist. */
  find(tenantId: string): Promise<QueueUrls | null>;
  /** `retentionDays`: 1 to 14. */
  setRetention(queueUrl: string, retentionDays: number): Promise<void>;
  depths(urls: QueueUrls): Promise<Depths>;
  /** Deletes both queues; `not_empty` when one of them holds messages and `discard` is not set. Queues that do not exist are no error. */
  remove(tenantId: string, options?: { readonly discard?: boolean }): Promise<Removal>;
}

type Attributes = Partial<Record<QueueAttributeName, string>>;

/** `prefix`: of all queue names, QUEUE_PREFIX by default. */
export function createQueues(client: SQSClient, options: { readonly prefix?: string } = {}): Queues {
  const prefix = options.prefix ?? QUEUE_PREFIX;

  /** Each null when it does not exist. */
  async function own(tenantId: string): Promise<{ readonly [Use in keyof QueueUrls]: string | null }> {
    const [queue, dead] = await Promise.all([
      ownUrl(client, queueName(tenantId, prefix), { tenantId, use: 'events' }),
      ownUrl(client, deadQueueName(tenantId, prefix), { tenantId, use: 'dead-letters' }),
    ]);
    return { queue, dead };
  }

  async function depths(urls: QueueUrls): Promise<Depths> {
    const [queue, dead] = await Promise.all([depthOf(client, urls.queue), depthOf(client, urls.dead)]);
    return { queue, dead };
  }

  return {
    depths,

    async find(tenantId) {
      const { queue, dead } = await own(tenantId);
      return queue === null || dead === null ? null : { queue, dead };
    },

    async provision(tenantId, retentionDays) {
      const reading: Attributes = {
        VisibilityTimeout: String(VISIBILITY_SECONDS),
        ReceiveMessageWaitTimeSeconds: String(MAX_WAIT_SECONDS),
      };
      const letters = { tenantId, use: 'dead-letters' } as const;
      const dead = await ensure(client, deadQueueName(tenantId, prefix), letters, {
        ...reading,
        ...retention(DEAD_RETENTION_DAYS),
      });
      const deadArn = (await attributesOf(client, dead, ['QueueArn'])).QueueArn;
      if (deadArn === undefined) throw new Error(`SQS returned no ARN for ${dead}`);
      const events = { tenantId, use: 'events' } as const;
      const queue = await ensure(client, queueName(tenantId, prefix), events, {
        ...reading,
        ...retention(retentionDays),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: MAX_RECEIVES }),
      });
      return { queue, dead };
    },

    async setRetention(queueUrl, retentionDays) {
      await client.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: retention(retentionDays) }));
    },

    async remove(tenantId, { discard = false } = {}) {
      const urls = await own(tenantId);
      if (!discard) {
        const [queue, dead] = await Promise.all([depthOrNone(client, urls.queue), depthOrNone(client, urls.dead)]);
        if (totalOf(queue) + totalOf(dead) > 0) return { kind: 'not_empty', depths: { queue, dead } };
      }
      await Promise.all([removeQueue(client, urls.queue), removeQueue(client, urls.dead)]);
      return { kind: 'removed' };
    },
  };
}

/** Whose queue it is, and what for: its tags say so. */
interface Owner {
  readonly tenantId: string;
  readonly use: 'events' | 'dead-letters';
}

const TENANT_TAG = 'idiomatic-gladly-tenant';
const USE_TAG = 'idiomatic-gladly-use';
const tagsOf = ({ tenantId, use }: Owner) => ({ [TENANT_TAG]: tenantId, [USE_TAG]: use });

/** True when the queue is tagged as this owner's, false when it has no tags of ours. Throws ForeignQueueError when it is another's. */
async function isOwn(client: SQSClient, url: string, name: string, owner: Owner): Promise<boolean> {
  const { Tags: tags = {} } = await client.send(new ListQueueTagsCommand({ QueueUrl: url }));
  const [tenant, use] = [tags[TENANT_TAG], tags[USE_TAG]];
  if (tenant === undefined && use === undefined) return false;
  if (tenant !== owner.tenantId || use !== owner.use) throw new ForeignQueueError(owner.tenantId, name);
  return true;
}

async function ownUrl(client: SQSClient, name: string, owner: Owner): Promise<string | null> {
  try {
    const url = await urlOf(client, name);
    if (url !== null) await isOwn(client, url, name, owner);
    return url;
  } catch (error) {
    // Deleted between the two calls.
    if (isNoSuchQueue(error)) return null;
    throw error;
  }
}

const retention = (days: number): Attributes => ({ MessageRetentionPeriod: String(days * DAY_SECONDS) });

async function ensure(client: SQSClient, name: string, owner: Owner, wanted: Attributes): Promise<string> {
  const url = await create(client, name, owner, wanted);
  if (!(await isOwn(client, url, name, owner))) {
    await client.send(new TagQueueCommand({ QueueUrl: url, Tags: tagsOf(owner) }));
  }
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

/**
 * The URL of the queue, which is there then. It is always asked to be created, for that is the only proof: within 60 s of its deletion a queue
 * may go on answering, and GetQueueUrl may find it, but CreateQueue says QueueDeletedRecently. For a queue that exists with other attributes the
 * name of the error differs between SQS and emulators; any refusal will do, as long as the queue is there.
 */
async function create(client: SQSClient, name: string, owner: Owner, attributes: Attributes): Promise<string> {
  try {
    const made = await client.send(
      new CreateQueueCommand({ QueueName: name, Attributes: attributes, tags: tagsOf(owner) }),
    );
    if (made.QueueUrl !== undefined) return made.QueueUrl;
  } catch (error) {
    if (isDeletedRecently(error) || failureFrom(error).kind !== 'refused') throw error;
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
  'MessageRetentionPeriod',
];

async function depthOf(client: SQSClient, url: string): Promise<Depth> {
  const found = await attributesOf(client, url, DEPTH_NAMES);
  return {
    waiting: Number(found.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(found.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(found.ApproximateNumberOfMessagesDelayed ?? 0),
    ...(found.MessageRetentionPeriod === undefined ? {} : { keptS: Number(found.MessageRetentionPeriod) }),
  };
}

async function depthOrNone(client: SQSClient, url: string | null): Promise<Depth> {
  try {
    if (url !== null) return await depthOf(client, url);
  } catch (error) {
    if (!isNoSuchQueue(error)) throw error;
  }
  return { waiting: 0, inFlight: 0, delayed: 0 };
}

async function removeQueue(client: SQSClient, url: string | null): Promise<void> {
  try {
    if (url !== null) await client.send(new DeleteQueueCommand({ QueueUrl: url }));
  } catch (error) {
    if (!isNoSuchQueue(error)) throw error;
  }
}
