import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import type { SqsClients } from './client.ts';
import { type BatchAnswer, readEntryResults } from './entry-results.ts';
import { MAX_BATCH_ENTRIES, RELEASE_SECONDS } from './limits.ts';

export interface ReceivedMessage {
  readonly receiptHandle: string;
  readonly messageId: string;
  readonly body: string;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
  /** Milliseconds since 1970 at which SQS took it: what its retention is counted from. */
  readonly sentAt: number;
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly max: number;
  /** 0 to 20; the poll ends as soon as there is a message. */
  readonly waitSeconds: number;
  /** Stop waiting. See `receive`. */
  readonly signal?: AbortSignal;
}

/** Reading from a queue. Throws the SDK's errors for whole calls; all of them may be made again. */
export interface Receiver {
  /**
   * Aborted, it answers with nothing at once, and the poll is left to end by itself: cutting it off could hide a message that was
   * on its way for the whole visibility time (always on fauxqs, whose poll outlives its connection). What it still brings is
   * handed back as `release` does, with one more receive on its count. If the process ends before, such a message is
   * visible again after VISIBILITY_SECONDS: late, not lost. So poll for a second or two where pauses must be quick, and
   * await `settled()`.
   */
  receive(queueUrl: string, options: ReceiveOptions): Promise<readonly ReceivedMessage[]>;
  /** Deletes any number. Answers with the handles that could not be deleted: their messages will be received again. */
  deleteBatch(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly string[]>;
  /** Makes them visible again after RELEASE_SECONDS; handles that are not valid any more are no error. Answers with those that failed. */
  release(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly string[]>;
  /** Resolves when no aborted poll is under way any more. */
  settled(): Promise<void>;
}

export function createReceiver(clients: Pick<SqsClients, 'control' | 'polls'>): Receiver {
  const abandoned = new Set<Promise<void>>();

  async function poll(queueUrl: string, options: ReceiveOptions): Promise<ReceivedMessage[]> {
    const answer = await clients.polls.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(options.max, MAX_BATCH_ENTRIES),
        WaitTimeSeconds: options.waitSeconds,
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
      }),
    );
    return (answer.Messages ?? []).flatMap(read);
  }

  function abandon(queueUrl: string, polling: Promise<ReceivedMessage[]>): void {
    const handedBack = polling
      .then(async (messages) => {
        if (messages.length === 0) return;
        await release(
          queueUrl,
          messages.map((message) => message.receiptHandle),
        );
      })
      // The messages of a poll or release that failed come back by themselves.
      .catch(() => undefined)
      .finally(() => abandoned.delete(handedBack));
    abandoned.add(handedBack);
  }

  async function release(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly string[]> {
    return inBatches(receiptHandles, (handles) =>
      clients.control.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queueUrl,
          Entries: handles.map((ReceiptHandle, index) => ({
            Id: String(index),
            ReceiptHandle,
            VisibilityTimeout: RELEASE_SECONDS,
          })),
        }),
      ),
    );
  }

  return {
    async receive(queueUrl, options) {
      const { signal } = options;
      if (signal?.aborted === true) return [];
      const polling = poll(queueUrl, options);
      if (signal === undefined) return await polling;
      const stop = Promise.withResolvers<null>();
      const onAbort = (): void => stop.resolve(null);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const messages = await Promise.race([polling, stop.promise]);
        if (messages !== null) return messages;
        abandon(queueUrl, polling);
        return [];
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },

    deleteBatch: (queueUrl, receiptHandles) =>
      inBatches(receiptHandles, (handles) =>
        clients.control.send(
          new DeleteMessageBatchCommand({
            QueueUrl: queueUrl,
            Entries: handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
          }),
        ),
      ),

    release,

    async settled() {
      await Promise.all(abandoned);
    },
  };
}

/** Entries that SQS failed are tried once more: its part of a batch can fail alone. Calls that failed the SDK has tried again. */
async function inBatches(
  handles: readonly string[],
  call: (handles: readonly string[]) => Promise<BatchAnswer>,
): Promise<readonly string[]> {
  const batches: (readonly string[])[] = [];
  for (let from = 0; from < handles.length; from += MAX_BATCH_ENTRIES) {
    batches.push(handles.slice(from, from + MAX_BATCH_ENTRIES));
  }
  const left = await Promise.all(batches.map((batch) => failedOf(batch, call)));
  return left.flat();
}

async function failedOf(
  handles: readonly string[],
  call: (handles: readonly string[]) => Promise<BatchAnswer>,
): Promise<readonly string[]> {
  let left = handles;
  for (let attempt = 0; attempt < 2 && left.length > 0; attempt += 1) {
    const results = readEntryResults(left.length, await call(left));
    left = left.filter((_, index) => {
      const result = results[index];
      return result?.kind !== 'accepted' && !isOver(result?.failure.code);
    });
  }
  return left;
}

/** The message was received by somebody else since, or is deleted: nothing is left to do with this handle. */
const isOver = (code: string | undefined): boolean =>
  code === 'ReceiptHandleIsInvalid' || code === 'MessageNotInflight' || code === 'InvalidParameterValue';

function read(message: Message): ReceivedMessage[] {
  const { ReceiptHandle, MessageId, Body, Attributes } = message;
  if (ReceiptHandle === undefined || MessageId === undefined || Body === undefined) return [];
  return [
    {
      receiptHandle: ReceiptHandle,
      messageId: MessageId,
      body: Body,
      receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1),
      sentAt: Number(Attributes?.SentTimestamp ?? Date.now()),
    },
  ];
}
