/** The yardstick: Koa that reads the body and answers, and stores nothing. */
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { serveUsage } from './child.ts';
import { rawBody } from './raw-body.ts';

const app = new Koa();
app.use(async (context) => {
  await rawBody(context.req);
  context.body = 'ok';
});
const server = app.listen(0, '127.0.0.1', () => serveUsage((server.address() as AddressInfo).port));
