import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { readEntryResults } from '../../../src/queue/entry-results.ts';
import { failureFrom } from '../../../src/queue/errors.ts';
import { type BatchTransport, failed } from '../../../src/queue/sender.ts';

/** SendMessageBatch through the SDK: the reference that tests and benchmarks compare the lean transport with. */
export function createSdkTransport(client: SQSClient): BatchTransport {
  return {
    async sendBatch(queueUrl, texts, timeoutMs) {
      const command = new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: texts.map((text, index) => ({ Id: String(index), MessageBody: text })),
      });
      try {
        const answer = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
        return readEntryResults(texts.length, answer);
      } catch (error) {
        const failure = failed(failureFrom(error));
        return texts.map(() => failure);
      }
    },
    // The caller closes the client.
    close: () => Promise.resolve(),
  };
}
