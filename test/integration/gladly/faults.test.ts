import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { inspect } from 'node:util';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { problemMendedBy, problemSentence } from '../../../src/contracts/problems.ts';
import { createGladlyClient } from '../../../src/gladly/client.ts';
import { ADDRESS_REFUSED, publicOnly } from '../../../src/gladly/connect.ts';
import { type Failure, GladlyError } from '../../../src/gladly/errors.ts';
import { parseGladlyHost } from '../../../src/gladly/host.ts';
import { createGovernor, slower } from '../../../src/gladly/quota.ts';
import {
  clientOf,
  EMAIL,
  extraHost,
  failureOf,
  json,
  newConnections,
  startHttp,
  startTcp,
  startTls,
  TOKEN,
} from '../../support/gladly/server.ts';

const acme = (() => {
  const parsed = parseGladlyHost('acme');
  if (!parsed.ok) throw new Error('acme should be a host');
  return parsed.host;
})();

const resolvingTo =
  (...answers: string[][]): LookupFunction =>
  (_name, _options, callback) => {
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

const failingWith =
  (code: string): LookupFunction =>
  (_name, _options, callback) =>
    callback(Object.assign(new Error(code), { code }), []);

describe('a connection that does not come about', () => {
  it('a name that does not exist is the customer to mend', async () => {
    const error = await failureOf(
      clientOf(acme, {}, newConnections({ lookup: failingWith('ENOTFOUND') })).getOrganization(),
    );
    expect(error.failure).toEqual({ kind: 'connection', fault: 'name_not_found' });
    expect(error.retryable).toBe(false);
    expect(problemSentence(error.problem)).toBe('There is no Gladly at acme.gladly.com: the name does not exist.');
  });

  it('a resolver that is out heals with time', async () => {
    const error = await failureOf(
      clientOf(acme, {}, newConnections({ lookup: failingWith('EAI_AGAIN') })).getOrganization(),
    );
    expect(error.failure).toEqual({ kind: 'connection', fault: 'dns' });
    expect(error.retryable).toBe(true);
  });

  it('a port where nobody listens', async () => {
    const entry = await startTcp(() => {});
    const { port } = new URL(`http://${entry}`);
    const free = extraHost(`127.0.0.1:${Number(port) === 1 ? 2 : 1}`);
    const error = await failureOf(clientOf(free).getOrganization());
    expect(error.failure).toEqual({ kind: 'connection', fault: 'refused' });
    expect(error.retryable).toBe(true);
    expect(error.problem.code).toBe('connection_refused');
  });

  it('a certificate that cannot be verified, and no credentials sent', async () => {
    let requests = 0;
    const entry = await startTls((_, response) => {
      requests++;
      response.end('{}');
    });
    const error = await failureOf(clientOf(extraHost(entry)).getOrganization());
    expect(error.failure).toEqual({ kind: 'connection', fault: 'tls' });
    expect(error.retryable).toBe(false);
    expect(error.problem.code).toBe('tls_error');
    expect(requests).toBe(0);
  });

  it('a server that does not speak TLS where it should', async () => {
    const entry = await startHttp((_, response) => response.end('{}'));
    const error = await failureOf(clientOf(extraHost(`https://${entry}`)).getOrganization());
    expect(error.failure).toEqual({ kind: 'connection', fault: 'tls' });
  });

  it('a connection that is cut before, and in the middle of, the answer', async () => {
    const cutAtOnce = await startTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const before = await failureOf(clientOf(extraHost(cutAtOnce)).getOrganization());
    const cutLater = await startHttp((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
      response.write('{"id":"x",', () => response.destroy());
    });
    const middle = await failureOf(clientOf(extraHost(cutLater)).getOrganization());
    const cutChunked = await startHttp((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":"x",', () => response.destroy());
    });
    const chunked = await failureOf(clientOf(extraHost(cutChunked)).getOrganization());
    const headOf = (more: string): string => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}\r\n`;
    const beginnings = [
      `${headOf('transfer-encoding: chunked\r\n')}4\r\n{"id`,
      `${headOf('transfer-encoding: chunked\r\nconnection: close\r\n')}4\r\n{"id`,
      `${headOf('connection: close\r\ncontent-length: 100\r\n')}{"id`,
      `${headOf('connection: close\r\n')}{"id`, // no length: only the JSON shows that it was cut
    ];
    const ended = await Promise.all(
      beginnings.map(async (beginning) => {
        const entry = await startTcp((socket) => socket.once('data', () => socket.end(beginning)));
        return await failureOf(clientOf(extraHost(entry)).getOrganization());
      }),
    );
    for (const error of [before, middle, chunked, ...ended]) {
      expect(error.failure).toEqual({ kind: 'connection', fault: 'reset' });
      expect(error.retryable).toBe(true);
      expect(error.problem.code).toBe('connection_lost');
    }
  });

  it('something that is no HTTP at all', async () => {
    const entry = await startTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    const error = await failureOf(clientOf(extraHost(entry)).getOrganization());
    expect(error.problem.code).toBe('not_gladly');
  });
});

describe('an address that is not public', () => {
  it.each([['127.0.0.1'], ['10.1.2.3'], ['169.254.169.254'], ['fd00::1']])(
    '%s behind a name of Gladly is refused',
    async (address) => {
      const error = await failureOf(
        clientOf(acme, {}, newConnections({ lookup: resolvingTo([address]) })).getOrganization(),
      );
      expect(error.failure).toEqual({ kind: 'connection', fault: 'address_refused' });
      expect(error.retryable).toBe(false);
      expect(error.problem.code).toBe('address_refused');
    },
  );

  it('is refused also when it comes beside a public one', async () => {
    const lookup = resolvingTo(['52.84.10.1', '127.0.0.1']);
    const error = await failureOf(clientOf(acme, {}, newConnections({ lookup })).getOrganization());
    expect(error.failure).toEqual({ kind: 'connection', fault: 'address_refused' });
  });

  it('is refused when the answer of the DNS changes to it later: each connection is checked with its own answer', () => {
    const resolve = publicOnly(resolvingTo(['52.84.10.1'], ['127.0.0.1']));
    const answers: unknown[] = [];
    for (const all of [true, true])
      resolve('acme.gladly.com', { all }, (error, found) => answers.push(error?.code ?? found));
    expect(answers).toEqual([[{ address: '52.84.10.1', family: 4 }], ADDRESS_REFUSED]);
  });

  it('has no second look-up between the check and the use', async () => {
    const entry = await startHttp((_, response) =>
      json(response, 200, { id: 'o1', gladlyUrl: 'https://acme.gladly.com' }),
    );
    const { port } = new URL(`http://${entry}`);
    const asked: string[] = [];
    const lookup: LookupFunction = (name, options, callback) => {
      asked.push(name);
      resolvingTo(['127.0.0.1'])(name, options, callback);
    };
    const client = clientOf(extraHost(`gladly.test:${port}`), {}, newConnections({ lookup }));
    await client.getOrganization();
    expect(asked).toEqual(['gladly.test']);
  });

  it('is refused when it is written out, which asks no resolver', async () => {
    const forged = { name: '127.0.0.1', origin: 'https://127.0.0.1', extra: false };
    const error = await failureOf(clientOf(forged).getOrganization());
    expect(error.failure).toEqual({ kind: 'connection', fault: 'address_refused' });
  });
});

describe('an answer that does not come in time or in size', () => {
  it('no headers', async () => {
    const entry = await startHttp(() => {});
    const error = await failureOf(clientOf(extraHost(entry), { timeoutMs: 80 }).getOrganization());
    expect(error.failure).toEqual({ kind: 'timeout', afterMs: 80 });
    expect(error.retryable).toBe(true);
  });

  it('a body that drips: the limit is for the whole answer', async () => {
    const entry = await startHttp((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    // The body never ends, so that the answer is one of the limit.
    const error = await failureOf(clientOf(extraHost(entry), { timeoutMs: 150 }).getOrganization());
    expect(error.kind).toBe('timeout');
  });

  it('says 15 seconds to the customer', () => {
    const error = new GladlyError(
      { kind: 'timeout', afterMs: 15_000 },
      { host: 'acme.gladly.com', method: 'GET', path: '/x' },
    );
    expect(problemSentence(error.problem)).toBe('acme.gladly.com did not answer within 15 seconds.');
  });

  it('a body without end is given up at the limit, and the connection cut', async () => {
    let sent = 0;
    let closed: Promise<unknown> | undefined;
    const entry = await startHttp((_, response) => {
      closed = once(response, 'close');
      const chunk = Buffer.alloc(65_536, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.on('drain', more);
      more();
    });
    const error = await failureOf(clientOf(extraHost(entry), { maxBytes: 1_000_000 }).getOrganization());
    await closed;
    expect(error.failure).toEqual({ kind: 'too_large', limitBytes: 1_000_000 });
    expect(error.problem.code).toBe('answer_too_large');
    // What the sockets hold comes on top of what was read.
    expect(sent).toBeLessThan(10_000_000);
  });

  it('a caller who gives up gets the own reason, also while an answer is awaited', async () => {
    const entry = await startHttp(() => {});
    const controller = new AbortController();
    const reason = new Error('paused');
    setTimeout(() => controller.abort(reason), 30);
    await expect(clientOf(extraHost(entry)).getOrganization(controller.signal)).rejects.toBe(reason);
    await expect(clientOf(extraHost(entry)).getOrganization(controller.signal)).rejects.toBe(reason);
  });
});

describe('an answer that is not the one asked for', () => {
  const answered = async (status: number, body: string, headers: Record<string, string> = {}) => {
    const entry = await startHttp((_, response) => response.writeHead(status, headers).end(body));
    const error = await failureOf(clientOf(extraHost(entry)).getOrganization());
    return { error, failure: error.failure, code: error.problem.code, heals: error.retryable };
  };

  it.each([
    [401, '', 'unauthorized', 'token_rejected', false],
    [403, '{"errors":[]}', 'forbidden', 'forbidden', false],
    [404, '<html>', 'not_found', 'organization_not_found', false],
    [400, '{"errors":[{"attr":"x","code":"invalid","detail":"d"}]}', 'bad_request', 'gladly_request_refused', false],
    [418, '', 'unexpected', 'gladly_unexpected_answer', false],
    [429, '', 'rate_limited', 'gladly_rate_limited', true],
    [500, '<html>', 'server_error', 'gladly_server_error', true],
    [502, '', 'server_error', 'gladly_server_error', true],
    [503, '', 'server_error', 'gladly_server_error', true],
    [200, '<!doctype html><title>Hello</title>', 'not_json', 'not_gladly', false],
    [200, '', 'not_json', 'not_gladly', false],
    [200, '{"id":"x"', 'not_json', 'not_gladly', false],
    [200, '[]', 'unexpected', 'gladly_unexpected_answer', false],
    [200, '{"name":"no id"}', 'unexpected', 'gladly_unexpected_answer', false],
    [200, 'null', 'unexpected', 'gladly_unexpected_answer', false],
  ] as const)('%i %j is %s', async (status, body, kind, code, heals) => {
    const found = await answered(status, body);
    expect([found.failure.kind, found.code, found.heals]).toEqual([kind, code, heals]);
    expect(found.error.status).toBe(status);
  });

  it('a 404 of anything but the organization is no missing organization', async () => {
    const entry = await startHttp((_, response) =>
      json(response, 404, { errors: { code: 'not_exist', detail: 'gone' } }),
    );
    const error = await failureOf(clientOf(extraHost(entry)).getConversation('c1'));
    expect([error.kind, error.problem.code]).toEqual(['not_found', 'gladly_not_found']);
    expect(error.details).toEqual([{ code: 'not_exist', detail: 'gone' }]);
  });

  it('says how long to wait, in seconds or until a date', async () => {
    const inSeconds = await answered(429, '', { 'retry-after': '7' });
    expect(inSeconds.failure).toEqual({ kind: 'rate_limited', retryAfterMs: 7_000 });
    const untilDate = await answered(429, '', { 'retry-after': new Date(Date.now() + 30_000).toUTCString() });
    expect(untilDate.failure).toMatchObject({ kind: 'rate_limited', retryAfterMs: expect.closeTo(29_500, -3.5) });
    const nonsense = await answered(429, '', { 'retry-after': 'soon' });
    expect(nonsense.failure).toEqual({ kind: 'rate_limited', retryAfterMs: null });
  });

  it.each([
    'https://evil.example/steal?x=1',
    '//evil.example/',
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1:1/',
  ])('a redirect to %s is refused, and the credentials stay', async (location) => {
    const { failure, code } = await answered(302, '', { location });
    expect(failure).toEqual({ kind: 'redirect', target: new URL(location, 'http://a').host });
    expect(code).toBe('redirect_refused');
  });

  it('429 with a long Retry-After: the set-up is told how long, and does not wait for it', async () => {
    const host = extraHost(
      await startHttp((_, response) => {
        response.writeHead(429, { 'retry-after': '3600' }).end();
      }),
    );
    const governor = slower(createGovernor(), 2);
    const client = createGladlyClient({ host, email: EMAIL, apiToken: TOKEN, governor, connections: newConnections() });
    await expect(client.getOrganization()).rejects.toMatchObject({ status: 429 });
    await expect(client.getOrganization()).rejects.toMatchObject({
      status: undefined,
      failure: { kind: 'rate_limited', retryAfterMs: expect.closeTo(4_000_000, -6) },
    });
  });

  it('a redirect to another server is not followed', async () => {
    let visits = 0;
    const other = await startHttp((_, response) => {
      visits++;
      response.end('{}');
    });
    await answered(307, '', { location: `http://${other}/api/v1/organization` });
    expect(visits).toBe(0);
  });

  it('a redirect on the same host is for the caller', async () => {
    expect((await answered(302, '', { location: '/login' })).failure).toEqual({
      kind: 'moved',
      foreign: true,
    });
    expect((await answered(304, '')).failure).toEqual({ kind: 'moved', foreign: true });
    const there = { location: '/api/v1/conversations/other' };
    expect((await answered(301, '', there)).failure).toEqual({ kind: 'moved', foreign: false });
  });

  it.each([
    ['/api/v1/conversations/other', 'other'],
    ['/api/v1/conversations/other/items', 'other'],
    ['/api/v1/conversations/a%20b', 'a b'],
    ['/api/v1/conversations/other?token=1', null],
    ['/api/v1/conversations/%2e%2e', null],
    ['/api/v1/conversations/%zz', null],
    ['/api/v1/conversations/', null],
    ['/api/v1/customers/other', null],
    ['/api/v2/conversations/other', null],
    ['//evil.example/api/v1/conversations/other', null],
    ['https://evil.example/api/v1/conversations/other', null],
    ['https://[', null],
  ])('a conversation that moved to %s goes on as %s', async (location, id) => {
    expect((await answered(301, '', { location })).error.newConversationId).toBe(id);
  });

  it.each([
    [{ attr: 'conversationId', code: 'moved', meta: { old: 'c1', new: 'other' } }, {}, 'other'],
    [{ attr: 'customerId', code: 'moved', meta: { old: 'c1', new: 'other' } }, {}, null],
    [{ attr: 'conversationId', code: 'moved', meta: { new: '..' } }, {}, null],
    [{ attr: 'conversationId', code: 'moved', meta: { new: 'other' } }, { location: '/sign-in' }, null],
  ])('without a location it is named in the errors: %j %j', async (error, headers, id) => {
    const moved = await answered(301, JSON.stringify({ errors: [error] }), headers);
    expect(moved.error.newConversationId).toBe(id);
  });
});

describe('what an error tells', () => {
  it('names the request and nothing secret, however it is printed or logged', async () => {
    const body = { errors: [{ code: 'invalid', detail: `the customer said ${TOKEN}` }] };
    const entry = await startHttp((_, response) => json(response, 400, body));
    const error = await failureOf(clientOf(extraHost(entry)).getConversation('conv-1'));
    expect(error.message).toBe(`GET /api/v1/conversations/{id} at ${entry}: bad_request (400)`);

    const lines: string[] = [];
    const log = pino(
      { serializers: { err: pino.stdSerializers.err } },
      { write: (line: string) => void lines.push(line) },
    );
    log.error({ err: error }, 'a request failed');
    const logged = lines.join('');
    for (const text of [logged, inspect(error, { depth: 9 }), JSON.stringify(error), error.stack ?? '']) {
      expect(text).not.toContain('customer said');
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(EMAIL);
    }
    expect(inspect(clientOf(extraHost(entry)), { depth: 9 })).not.toContain(TOKEN);
    expect(logged).toContain('bad_request');
  });

  it('promises that time heals exactly where the catalogue says so', () => {
    const faults = ['name_not_found', 'dns', 'tls', 'refused', 'reset', 'address_refused'] as const;
    const failures: Failure[] = [
      ...faults.map((fault): Failure => ({ kind: 'connection', fault })),
      { kind: 'unauthorized', foreign: false },
      { kind: 'forbidden', foreign: false },
      { kind: 'not_found', foreign: false },
      { kind: 'moved', foreign: false },
      { kind: 'rate_limited', retryAfterMs: null },
      { kind: 'server_error' },
      { kind: 'timeout', afterMs: 15_000 },
      { kind: 'redirect', target: 'x' },
      { kind: 'not_json' },
      { kind: 'too_large', limitBytes: 20_000_000 },
      { kind: 'bad_request' },
      { kind: 'invalid_id' },
      { kind: 'unexpected' },
    ];
    for (const failure of failures) {
      const error = new GladlyError(failure, { host: 'acme.gladly.com', method: 'GET', path: '/api/v1/agents' }, 500);
      expect([error.message, error.retryable]).toEqual([error.message, problemMendedBy(error.problem) === 'time']);
      expect(problemSentence(error.problem)).not.toContain('?');
    }
  });
});
