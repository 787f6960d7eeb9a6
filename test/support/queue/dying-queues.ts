import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An SQS in front of another one, which deletes queues as AWS says that it may. */
export interface DyingQueues {
  readonly endpoint: string;
  /** Messages that were accepted by a queue that had been deleted, and are lost. */
  readonly lost: () => number;
  close(): Promise<void>;
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' };

/**
 * For `dyingMs` after its deletion a queue goes on answering, whatever is sent to it is lost, and none can be created under its name ("it takes
 * up to 60 seconds"; "requests you send involving that queue during the 60 seconds might succeed": reference of DeleteQueue).
 */
export async function dyingQueues(behind: string, dyingMs: number): Promise<DyingQueues> {
  const dying = new Map<string, { readonly until: number; readonly answers: ReadonlyMap<string, unknown> }>();
  let lost = 0;

  const ask = (action: string, body: object): Promise<Response> =>
    fetch(behind, {
      method: 'POST',
      headers: { ...JSON_TYPE, 'x-amz-target': `AmazonSQS.${action}` },
      body: JSON.stringify(body),
    });

  const server = createServer(async (request, response) => {
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    const body = JSON.parse(await text(request));
    const name = String(body.QueueName ?? body.QueueUrl)
      .split('/')
      .at(-1);
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, JSON_TYPE).end(JSON.stringify(value));
    };
    const ghost = dying.get(name ?? '');
    if (ghost && ghost.until > Date.now()) {
      if (action === 'CreateQueue') {
        return answer(400, { __type: 'com.amazonaws.sqs#QueueDeletedRecently', message: 'wait 60 seconds' });
      }
      if (action === 'SendMessageBatch') {
        lost += body.Entries.length;
        return answer(200, { Successful: body.Entries.map(({ Id }: { Id: string }) => ({ Id })), Failed: [] });
      }
      return answer(200, ghost.answers.get(action) ?? {});
    }
    if (action === 'DeleteQueue') {
      const answers = new Map<string, unknown>([['GetQueueUrl', { QueueUrl: body.QueueUrl }]]);
      for (const [asked, more] of [
        ['GetQueueAttributes', { AttributeNames: ['All'] }],
        ['ListQueueTags', {}],
      ] as const) {
        answers.set(asked, await (await ask(asked, { QueueUrl: body.QueueUrl, ...more })).json());
      }
      dying.set(name ?? '', { until: Date.now() + dyingMs, answers });
    }
    const passed = await ask(action, body);
    response.writeHead(passed.status, JSON_TYPE).end(await passed.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
