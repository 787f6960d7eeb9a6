import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

const BATCH = 10;
const LOOPS = 16;

/**
 * How many messages a second 16 loops of receive and delete take from a queue when they do nothing else: the most that the emulator
 * gives, and what a drain is compared with. `text` is the body of each.
 */
export async function bareRate(endpoint: string, count: number, text: string): Promise<number> {
  const credentials = { accessKeyId: 'embedded', secretAccessKey: 'embedded' };
  const sqs = new SQSClient({ endpoint, region: 'us-east-1', credentials });
  try {
    const attributes = { VisibilityTimeout: '60' };
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'bare', Attributes: attributes }));
    let left = count;
    await loops(async () => {
      const size = Math.min(BATCH, left);
      if (size === 0) return false;
      left -= size;
      const Entries = Array.from({ length: size }, (_, n) => ({ Id: String(n), MessageBody: text }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      return true;
    });
    let taken = 0;
    const start = performance.now();
    await loops(async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: BATCH }));
      if (Messages.length === 0) return false;
      const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      taken += Messages.length;
      return true;
    });
    if (taken !== count) throw new Error(`the bare loops got ${taken} of ${count} messages`);
    return (count / (performance.now() - start)) * 1_000;
  } finally {
    sqs.destroy();
  }
}

async function loops(step: () => Promise<boolean>): Promise<void> {
  const loop = async (): Promise<void> => {
    while (await step());
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
}
