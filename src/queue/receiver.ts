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
  /** Number of receives so far, this one included. */
  readonly receiveCount: number;
  /** Milliseconds since 1970 when SQS accepted it: its retention counts from there. */
  readonly sentAt: number;
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly max: number;
  /** 0 to 20. The poll ends as soon as there is a message. */
  readonly waitSeconds: number;
  /** Ends the wait: see `receive`. */
  readonly signal?: AbortSignal;
}

/** Reads from queues. Rejects with the SDK's error when a whole call fails; every call may be made again. */
export interface Receiver {
  /**
   * When `signal` is aborted, it resolves immediately with no messages, and the poll ends by itself: cutting the poll's connection could
   * hide a message on its way for the whole visibility time (always on fauxqs, whose poll outlives its connection). Messages that the
   * poll still receives are released, with one more receive counted. If the process ends before that, they are visible again after
   * VISIBILITY_SECONDS: late, not lost. Where aborts must be quick, poll for a second or two, and await `settled()`.
   */
  receive(queueUrl: string, options: ReceiveOptions): Promise<readonly ReceivedMessage[]>;
  /** Deletes any number of messages. Resolves with the handles that could not be deleted: their messages will be received again. */
  deleteBatch(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly string[]>;
  /** Makes messages visible again after RELEASE_SECONDS. Resolves with the handles that failed; expired handles are no error. */
  release(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly string[]>;
  /** Resolves when all aborted polls have ended. */
  settled(): Promise<void>;
}

/** Long polls go through `polls`, all other calls through `control`. */
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
    const released = polling
      .then(async (messages) => {
        if (messages.length === 0) return;
        await release(
          queueUrl,
          messages.map((message) => message.receiptHandle),
        );
      })
      // When the poll or the release fails, the messages become visible again after VISIBILITY_SECONDS.
      .catch(() => undefined)
      .finally(() => abandoned.delete(released));
    abandoned.add(released);
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

/** Calls `call` with batches of ten, and once more with the entries that SQS failed. Whole calls are retried by the SDK. Resolves with the rest. */
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

/** True when the message has been received again or deleted since, so that nothing can be done with this handle. */
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
