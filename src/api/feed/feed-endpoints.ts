import { Readable } from 'node:stream';
import { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';
import type { Db } from '../../store/db.ts';
import { type FeedConversation, type FeedItem, getConversation, readFeed, readItems } from '../../store/feed.ts';
import type { Tenants } from '../../tenants/commands.ts';
import { type Endpoint, endpoint } from '../http/endpoints.ts';

/** Read from the store at once: of up to some thousand items each, this many are a few megabytes in the worst case. */
const PAGE = 20;

/** What was extracted, for the analytics side. */
export function feedEndpoints(db: Db, tenants: Tenants): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/v1/tenants/:tenantId/conversations',
      summary:
        'Changed conversations with their items in the order of their changes, as NDJSON. Go on with `after` = the last line’s `cursor`.',
      needs: 'viewer',
      query: z.object({
        after: z.coerce.number().int().min(0).default(0),
        limit: z.coerce.number().int().min(1).max(10_000).default(100),
      }),
      status: 200,
      handle: async ({ tenantId, query, ctx }) => {
        await tenants.get(tenantId);
        ctx.type = 'application/x-ndjson';
        // A reader that goes away ends the generator; one that is slow is waited for, and holds nothing of the store meanwhile.
        return Readable.from(feedLines(db, tenantId, query.after, query.limit), {
          objectMode: false,
          highWaterMark: 65_536,
        });
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/tenants/:tenantId/conversations/:conversationId',
      summary: 'One conversation with all its items.',
      needs: 'viewer',
      status: 200,
      handle: async ({ tenantId, params }) => {
        await tenants.get(tenantId);
        const found = await getConversation(db, tenantId, params['conversationId'] ?? '');
        if (!found) throw new ApiError('not_found', 'This conversation is not stored.');
        return feedEntry(found.conversation, found.items);
      },
    }),
  ];
}

async function* feedLines(db: Db, tenantId: string, after: number, limit: number): AsyncGenerator<string> {
  let cursor = after;
  for (let left = limit; left > 0; ) {
    const page = await readFeed(db, tenantId, cursor, Math.min(left, PAGE));
    const items = await readItems(
      db,
      tenantId,
      page.map(({ conversationId }) => conversationId),
    );
    for (const conversation of page) {
      yield `${JSON.stringify(feedEntry(conversation, items.get(conversation.conversationId) ?? []))}\n`;
      cursor = conversation.seq;
    }
    left -= page.length;
    if (page.length < PAGE) return;
  }
}

function feedEntry({ seq, ...conversation }: FeedConversation, items: readonly FeedItem[]) {
  return { cursor: String(seq), ...conversation, items };
}
