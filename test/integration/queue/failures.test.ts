import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { isEndpointTrouble } from '../../../src/queue/errors.ts';
import { createLeanTransport } from '../../../src/queue/lean-transport.ts';
import type { BatchTransport } from '../../../src/queue/sender.ts';
import { connect } from '../../support/queue/queues.ts';
import { createSdkTransport } from '../../support/queue/sdk-transport.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Starts an SQS with this answer. */
async function fakeSqs(onRequest: RequestListener): Promise<string> {
  const server = createServer(onRequest).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function transportTo(which: string, endpoint: string): BatchTransport {
  const { clients } = connect(endpoint);
  closing.push(() => clients.close());
  if (which === 'sdk') return createSdkTransport(clients.control);
  const lean = createLeanTransport({ client: clients.control, endpoint });
  closing.push(() => lean.close());
  return lean;
}

const answering =
  (status: number, type: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message: 'no secret here' }));
  };

describe.each(['sdk', 'lean'])('kinds of failures (%s)', (which) => {
  test.each([
    [400, 'AccessDeniedException', 'denied', true],
    [403, 'InvalidSecurity', 'denied', true],
    [403, 'RequestThrottled', 'throttled', true],
    [500, 'InternalError', 'server', true],
    [503, 'ServiceUnavailable', 'server', true],
  ])('%s %s is %s', async (status, type, kind, trouble) => {
    const queue = `${await fakeSqs(answering(status, type))}/0/q`;
    const [result] = await transportTo(which, new URL(queue).origin).sendBatch(queue, ['{}'], 10_000);
    if (result?.kind !== 'failed') throw new Error('accepted');
    expect(result.failure.kind).toBe(kind);
    expect(isEndpointTrouble(result.failure)).toBe(trouble);
  });

  test('no answer in time: timeout, when it is over', async () => {
    const queue = `${await fakeSqs(() => undefined)}/0/q`;
    const [result] = await transportTo(which, new URL(queue).origin).sendBatch(queue, ['{}'], 300);
    expect(result).toMatchObject({ kind: 'failed', failure: { kind: 'timeout' } });
  });

  test('each entry has its own result; an entry that is not named was not accepted', async () => {
    const origin = await fakeSqs((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      // Without the checksum that the SDK insists on it would not believe the answer.
      const md5 = '99914b932bd37a50b983c5e7c90ae93b';
      response.end(
        JSON.stringify({
          Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: md5 }],
          Failed: [{ Id: '2', Code: 'InternalError', SenderFault: false }],
        }),
      );
    });
    const results = await transportTo(which, origin).sendBatch(`${origin}/0/q`, ['{}', '{}', '{}'], 5_000);
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'failed', 'failed']);
  });

  test('an answer that is no JSON accepts nothing', async () => {
    const origin = await fakeSqs((request, response) => {
      request.resume();
      response.end('<html>');
    });
    const [result] = await transportTo(which, origin).sendBatch(`${origin}/0/q`, ['{}'], 5_000);
    expect(result?.kind).toBe('failed');
  });
});

test('the lean request goes once more when a kept connection turns out to be closed, and only once', async () => {
  let requests = 0;
  let cut = 1;
  const origin = await fakeSqs((request, response) => {
    requests += 1;
    if (cut > 0) {
      cut -= 1;
      request.socket.destroy();
      return;
    }
    request.resume();
    response.end(JSON.stringify({ Successful: [{ Id: '0' }] }));
  });
  const transport = transportTo('lean', origin);
  expect(await transport.sendBatch(`${origin}/0/q`, ['{}'], 5_000)).toEqual([{ kind: 'accepted' }]);
  expect(requests).toBe(2);
  cut = 2;
  expect((await transport.sendBatch(`${origin}/0/q`, ['{}'], 5_000))[0]).toMatchObject({
    failure: { kind: 'unreachable' },
  });
  expect(requests).toBe(4);
});
