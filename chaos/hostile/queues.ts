import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { queueName } from '../../src/queue/names.ts';
import type { Db } from '../../src/store/db.ts';
import type { Does } from './gladly.ts';
import { eventually, HAPPENS_MS } from './patience.ts';
import type { Site } from './scene.ts';
import type { SqsDoor } from './sqs-door.ts';

/** Messages that begin like ours and are broken. */
const BAD = [
  '{"v":1,"at":1,"key":"\\q","json":{}}',
  '{"v":1,"at":9999999999999999,"key":"k","json":{"id":"p","type":"CONVERSATION/CREATED"}}x',
  '{"v":2,"at":1,"key":"k","json":{}}',
  '{"v":1,"at":"soon","key":"k","text":"?"}',
  'not JSON at all',
] as const;

/** What others send by mistake: a test of S3's notifications, a message of SNS, somebody's job. */
const FOREIGN = [
  '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"somebody"}',
  '{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:1:t","Message":"{}"}',
  '{"jobId":1,"task":"resize","args":[]}',
] as const;

/** Event ids that Gladly never sent: what is no delivery the ledger names by its hash, and a merge makes an entry for each conversation. */
export const isPlanted = (eventId: string): boolean => /^(sha256|merged):/.test(eventId);

/** What becomes of one tenant's queue. */
export function queueTrouble(sqs: SqsDoor, db: Db) {
  const client = new SQSClient({
    endpoint: sqs.behind,
    region: 'us-east-1',
    credentials: { accessKeyId: 'embedded', secretAccessKey: 'embedded' },
  });
  const urlOf = ({ tenantId }: Site): string => `${sqs.behind}/000000000000/${queueName(tenantId)}`;
  const nameOf = ({ tenantId }: Site): string => `/${queueName(tenantId)}`;

  const planted = async ({ tenantId }: Site, state: string): Promise<readonly string[]> => {
    const { rows } = await db.query<{ id: string }>(
      `SELECT event_id AS id FROM events WHERE tenant_id = $1 AND state = $2 AND event_id LIKE 'sha256:%'`,
      [tenantId, state],
    );
    return rows.map(({ id }) => id);
  };

  /** Puts them into the queue; an operator looks at what came of them, and discards it. A number makes each another message. */
  const plant =
    (texts: readonly string[]): Does =>
    async (site, { forMs, dice: [die] }) => {
      const number = Math.floor(die * 1e9);
      const url = urlOf(site);
      const sent = await eventually(async () => {
        for (const [n, text] of texts.entries()) {
          await client.send(
            new SendMessageCommand({ QueueUrl: url, MessageBody: `${text}${' '.repeat((number + n) % 97)}` }),
          );
        }
        return true;
      }, HAPPENS_MS);
      await sleep(forMs);
      // What is taken in later stays rejected, and is named for as long as it is.
      const found = await eventually(async () => (await planted(site, 'rejected')).length > 0, HAPPENS_MS);
      if (!found) return false;
      const discarded = await eventually(async () => {
        const eventIds = await planted(site, 'rejected');
        const body = { reason: 'no event of Gladly’s', eventIds };
        return (await site.pipeline.ask('POST', `/v1/tenants/${site.tenantId}/discard`, body)).status === 200;
      }, HAPPENS_MS);
      return sent && discarded;
    };

  /** Nothing more goes into it, and when all of it was taken in it is deleted: what is in a queue that somebody deletes is lost, whoever reads it. */
  const deleteQueue: Does = async (site) => {
    const open = sqs.refuse({ what: 'sends', queue: nameOf(site), status: 400, code: 'KmsDisabled' });
    try {
      const empty = await eventually(() => isEmpty(site, db), HAPPENS_MS);
      if (!empty) return false;
      await client.send(new DeleteQueueCommand({ QueueUrl: urlOf(site) }));
      return true;
    } finally {
      open();
    }
  };

  const refuseQueue: Does = async (site, { forMs }) => {
    const before = sqs.refused;
    const open = sqs.refuse({ what: 'all', queue: nameOf(site), status: 400, code: 'KmsAccessDenied' });
    try {
      await sleep(forMs);
      return await eventually(async () => sqs.refused > before, HAPPENS_MS);
    } finally {
      open();
    }
  };

  return {
    'bad messages': plant(BAD),
    'foreign messages': plant(FOREIGN),
    'queue deleted': deleteQueue,
    'queue refused': refuseQueue,
  } as const satisfies Record<string, Does>;
}

const attempts = z.object({
  deliveries: z.array(
    z.object({ eventId: z.string(), type: z.string(), attempts: z.array(z.object({ status: z.number().nullable() })) }),
  ),
});

/** All that was accepted is in the ledger, so none of it is in the queue. */
async function isEmpty({ tenantId, pipeline }: Site, db: Db): Promise<boolean> {
  const page = await pipeline.control('GET', '/simulator/deliveries?limit=10000', undefined, attempts);
  const accepted = page.deliveries
    .filter(({ type, attempts: all }) => type !== 'PING' && all.some(({ status }) => status === 200))
    .map(({ eventId }) => eventId);
  const { rows } = await db.query<{ n: number }>(
    'SELECT count(*) AS n FROM events WHERE tenant_id = $1 AND event_id = ANY($2)',
    [tenantId, [...new Set(accepted)]],
  );
  return rows[0]?.n === new Set(accepted).size;
}
