import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLeanTransport } from '../../../src/queue/lean-transport.ts';

/**
 * Emulators check no signature, so a wrong one would only show on AWS. This is Signature Version 4 as AWS documents it
 * (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), implemented here a second time.
 */
function expectedSignature(request: IncomingMessage, body: string, secret: string): string {
  const authorization = request.headers.authorization ?? '';
  const [, scope = '', signedHeaders = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=/.exec(authorization) ?? [];
  const canonical = [
    request.method,
    request.url,
    '',
    ...signedHeaders.split(';').map((name) => `${name}:${request.headers[name]}`),
    '',
    signedHeaders,
    sha256(body),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((one, part) => hmac(one, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

interface Seen {
  readonly request: IncomingMessage;
  readonly body: string;
}

const seen: Seen[] = [];
const server = createServer(async (request, response) => {
  seen.push({ request, body: await text(request) });
  response.end(JSON.stringify({ Successful: [{ Id: '0' }] }));
});
let origin = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('the lean request', () => {
  test.each([
    ['with keys', undefined],
    ['with keys of a role', 'a/session+token=='],
  ])('is signed as AWS wants it, %s', async (_, sessionToken) => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'a/secret+key', ...(sessionToken && { sessionToken }) };
    const client = new SQSClient({ region: 'eu-west-1', credentials });
    // No endpoint: the queue's own address says where.
    const transport = createLeanTransport({ client });
    expect(await transport.sendBatch(`${origin}/123/queue`, ['{"text":"ä"}'], 5_000)).toEqual([{ kind: 'accepted' }]);
    const { request, body } = seen.at(-1) ?? { request: null, body: '' };
    if (request === null) throw new Error('nothing arrived');
    const { authorization = '' } = request.headers;
    expect(authorization).toContain('/eu-west-1/sqs/aws4_request');
    expect(authorization).toContain(`Signature=${expectedSignature(request, body, credentials.secretAccessKey)}`);
    // AWS refuses a request whose host, target or token is not signed.
    expect(authorization).toMatch(/SignedHeaders=[^,]*host[^,]*x-amz-date/);
    expect(authorization).toMatch(/SignedHeaders=[^,]*x-amz-target/);
    expect(request.headers['x-amz-security-token']).toBe(sessionToken);
    expect(request.headers['x-amz-target']).toBe('AmazonSQS.SendMessageBatch');
    expect(JSON.parse(body)).toEqual({
      QueueUrl: `${origin}/123/queue`,
      Entries: [{ Id: '0', MessageBody: '{"text":"ä"}' }],
    });
    await transport.close();
    client.destroy();
  });
});
