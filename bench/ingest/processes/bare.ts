/** The lower bound: node:http that reads the body and answers, and stores nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveUsage } from './child.ts';

const server = createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 2 }).end('ok'));
});
server.listen(0, '127.0.0.1', () => serveUsage((server.address() as AddressInfo).port));
