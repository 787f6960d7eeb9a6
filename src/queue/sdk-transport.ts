import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { readEntryResults } from './entry-results.ts';
import { failureFrom } from './errors.ts';
import { type BatchTransport, failed } from './sender.ts';

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
