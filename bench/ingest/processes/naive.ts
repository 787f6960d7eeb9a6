/** The simplest implementation: Koa, a router, a key check, and one SendMessage per request through the SDK with its defaults. */
import { hash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import Router from '@koa/router';
import Koa from 'koa';
import { serveUsage } from './child.ts';
import { rawBody } from './raw-body.ts';
import { readSetting } from './setting.ts';

const { sqs, tenants } = readSetting();
const client = new SQSClient({ endpoint: sqs, region: 'us-east-1' });
const known = new Map(
  tenants.map((tenant) => [tenant.tenantId, { ...tenant, hash: hash('sha256', tenant.key, 'buffer') }]),
);

const router = new Router();
router.post('/webhooks/gladly/:tenantId', async (context) => {
  const tenant = known.get(context.params['tenantId'] ?? '');
  const shown = hash('sha256', context.get('x-api-key'), 'buffer');
  if (tenant === undefined || !timingSafeEqual(tenant.hash, shown)) {
    context.status = 401;
    return;
  }
  const body = await rawBody(context.req);
  JSON.parse(body);
  await client.send(new SendMessageCommand({ QueueUrl: tenant.queueUrl, MessageBody: body }));
  context.body = 'ok';
});
const app = new Koa();
app.use(router.routes());
const server = app.listen(0, '127.0.0.1', () => serveUsage((server.address() as AddressInfo).port));
