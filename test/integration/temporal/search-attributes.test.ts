import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ensureSearchAttributes, SearchAttributesError } from '../../../src/temporal/search-attributes.ts';

let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress'), connectTimeout: 10_000 });
});
afterAll(() => connection?.close());

async function bareNamespace(): Promise<string> {
  const namespace = `bare-${randomBytes(4).toString('hex')}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  return namespace;
}

const attributesOf = async (namespace: string) =>
  (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes ?? {};

it('search attributes that a namespace lacks are made, and once is enough', async () => {
  const namespace = await bareNamespace();
  await ensureSearchAttributes(connection, namespace);
  await expect.poll(() => attributesOf(namespace)).toMatchObject({ TenantId: 2, State: 2, Problem: 2, PausedSince: 6 });
  await ensureSearchAttributes(connection, namespace);
});

it('one of another type is named, and nothing is begun with it', async () => {
  const namespace = await bareNamespace();
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: { State: 3 } });
  await expect.poll(() => attributesOf(namespace)).toMatchObject({ State: 3 });
  const refused = ensureSearchAttributes(connection, namespace);
  await expect(refused).rejects.toThrow(SearchAttributesError);
  await expect(refused).rejects.toThrow(/State must be of type Keyword/);
});
