import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isPolled } from '../../../deploy/compose/healthcheck.ts';
import { PROJECT } from '../../support/compose/read.ts';

/** As the container platform runs it. */
function run(part: string, env: NodeJS.ProcessEnv): Promise<{ readonly code: number | null; readonly said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(PROJECT, 'deploy/compose/healthcheck.ts'), part], { env });
    let said = '';
    child.stderr.on('data', (chunk) => (said += chunk));
    child.once('close', (code) => resolve({ code, said }));
  });
}

let close = (): void => undefined;
afterEach(() => close());

function listen(status: number): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/health/live' ? status : 404).end();
  });
  close = () => server.close();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? String(address.port) : '');
    });
  });
}

describe('api', () => {
  test('is healthy when it says that it is alive', async () => {
    expect(await run('api', { API_PORT: await listen(200) })).toEqual({ code: 0, said: '' });
  });

  test('is not when it says something else', async () => {
    expect(await run('api', { API_PORT: await listen(503) })).toMatchObject({
      code: 1,
      said: expect.stringContaining('503'),
    });
  });

  test('is not when nobody answers', async () => {
    const port = await listen(200);
    close();
    expect(await run('api', { API_PORT: port })).toMatchObject({ code: 1 });
  });
});

describe('worker', () => {
  test('is not healthy when Temporal is not there', async () => {
    const port = await listen(200);
    close();
    expect(await run('worker', { TEMPORAL_ADDRESS: `127.0.0.1:${port}` })).toMatchObject({ code: 1 });
  });

  const now = 1_000_000_000;
  test.each([
    ['this host polls', [{ identity: '7@here', seenAt: now - 60_000 }], true],
    ['only another host polls', [{ identity: '7@there', seenAt: now }], false],
    ['a host polls whose name ends in the same way', [{ identity: '7@not-here', seenAt: now }], false],
    ['this host polled three minutes ago', [{ identity: '7@here', seenAt: now - 180_000 }], false],
    ['nobody polls', [], false],
  ])('%s', (_, pollers, healthy) => {
    expect(isPolled(pollers, 'here', now)).toBe(healthy);
  });
});

test('a part that it does not know is an error, and not healthy', async () => {
  expect(await run('simulator', {})).toMatchObject({ code: 1, said: expect.stringContaining('usage') });
});
