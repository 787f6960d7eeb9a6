import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { expect, it } from 'vitest';
import { keyIdsIn } from '../../../src/temporal/key-use.ts';
import { createPayloadCodec } from '../../../src/temporal/payload-codec.ts';

const { History } = proto.temporal.api.history.v1;
const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;

async function under(id: string): Promise<Payload> {
  const codec = createPayloadCodec([{ id, key: randomBytes(32).toString('base64') }]);
  const [payload] = await codec.encode([defaultPayloadConverter.toPayload({ data: 'x' }) ?? {}]);
  return payload ?? {};
}
const all = (message: unknown): string[] => [...keyIdsIn(message)].sort();

it('finds the key of each encrypted payload, wherever a history has it', async () => {
  const events = [
    {
      workflowExecutionStartedEventAttributes: {
        input: { payloads: [await under('input'), await under('second')] },
        memo: { fields: { memo: await under('memo') } },
        header: { fields: { header: await under('header') } },
        lastCompletionResult: { payloads: [await under('lastResult')] },
        searchAttributes: { indexedFields: { TenantId: defaultPayloadConverter.toPayload('acme') ?? {} } },
      },
      userMetadata: { summary: await under('summary') },
    },
    { workflowExecutionSignaledEventAttributes: { input: { payloads: [await under('signal')] } } },
    { activityTaskCompletedEventAttributes: { result: { payloads: [await under('result')] } } },
    { markerRecordedEventAttributes: { details: { result: { payloads: [await under('marker')] } } } },
    {
      activityTaskStartedEventAttributes: {
        lastFailure: { cause: { encodedAttributes: await under('cause') }, encodedAttributes: await under('failure') },
      },
    },
  ];
  expect(all(History.decode(History.encode({ events }).finish()))).toEqual(
    [
      'cause',
      'failure',
      'header',
      'input',
      'lastResult',
      'marker',
      'memo',
      'result',
      'second',
      'signal',
      'summary',
    ].sort(),
  );
});

it('and in what a pending activity has told', async () => {
  const pendingActivities = [
    {
      heartbeatDetails: { payloads: [await under('heartbeat')] },
      lastFailure: { encodedAttributes: await under('lastFailure') },
    },
  ];
  const answer = DescribeWorkflowExecutionResponse.encode({ pendingActivities }).finish();
  expect(all(DescribeWorkflowExecutionResponse.decode(answer))).toEqual(['heartbeat', 'lastFailure']);
});

it('takes no plain payload for one that needs a key, and shows no name that is none', () => {
  const payload = (encoding: string, id?: string): Payload => ({
    metadata: {
      encoding: Buffer.from(encoding),
      ...(id === undefined ? {} : { 'encryption-key-id': Buffer.from(id) }),
    },
    data: Buffer.from('"x"'),
  });
  expect(all(payload('json/plain', 'k1'))).toEqual([]);
  const strange = ['\u001b[2Jk1', '', 'k'.repeat(61), undefined].map((id) => payload('binary/encrypted', id));
  expect(all({ strange })).toEqual(Array(4).fill('(no id of a key)'));
  expect(
    all({ payloads: [null, undefined, 5, 'text', new Uint8Array(4), {}, { metadata: null, data: null }] }),
  ).toEqual([]);
});
