import type { Conversations } from '../store/conversations.ts';
import type { Visibility } from '../visibility.ts';
import { type Answer, errors, jsonList, rawJson } from './answer.ts';
import { notFound } from './directory.ts';
import type { Route } from './router.ts';

/** Caps of gladly.md 2.2. There are no pages: what is beyond the cap cannot be read through these lists. */
const MOST_CONVERSATIONS = 100;
const MOST_ITEMS = 1000;

export function conversationRoutes(conversations: Conversations, visibility: Visibility): Route[] {
  const visibleBody = (id: string): string | undefined => visibility.conversation(id, conversations.body(id));

  /** One that goes on under another id is a 301 to it, as a merged customer is one (gladly.md 2.2); the `Location` is assumed (gladly.md 6.14). */
  function notThere(id: string, what = ''): Answer {
    const newId = conversations.newIdOf(id);
    if (newId === undefined) return notFound('conversation', id);
    const detail = `conversation has moved from [${id}] to [${newId}]`;
    const answer = errors(301, { attr: 'conversationId', code: 'moved', detail, meta: { old: id, new: newId } });
    return { ...answer, headers: { ...answer.headers, location: `/api/v1/conversations/${newId}${what}` } };
  }

  function item(id: string, accept: (found: { conversationId: string; body: string }) => boolean): Answer {
    const found = conversations.item(id);
    if (found === undefined || visibility.hidesItem(id) || !accept(found)) return notFound('conversation item', id);
    if (found.supported) return rawJson(200, found.body);
    const detail = `Conversation item with id [${id}] exists but is not supported by the API.`;
    return errors(400, { code: 'invalid', detail });
  }

  return [
    {
      method: 'GET',
      path: '/api/v1/conversations/:id',
      handle: ({ params: { id = '' } }) => {
        const body = visibleBody(id);
        return body === undefined ? notThere(id) : rawJson(200, body);
      },
    },
    {
      method: 'GET',
      path: '/api/v1/customers/:customerId/conversations',
      handle: ({ params: { customerId = '' } }) => {
        const ids = conversations.idsOfCustomer(customerId);
        const bodies = ids.flatMap((id) => visibleBody(id) ?? []);
        return limitedList(bodies, MOST_CONVERSATIONS);
      },
    },
    {
      method: 'GET',
      path: '/api/v1/conversations/:id/items',
      handle: ({ params: { id = '' } }) => {
        if (visibleBody(id) === undefined) return notThere(id, '/items');
        const items = conversations.itemBodies(id).filter((entry) => !visibility.hidesItem(entry.id));
        return limitedList(
          items.map(({ body }) => body),
          MOST_ITEMS,
        );
      },
    },
    {
      method: 'GET',
      path: '/api/v1/conversation-items/:id',
      handle: ({ params: { id = '' } }) => item(id, () => true),
    },
    {
      method: 'GET',
      path: '/api/v1/conversations/:id/notes/:noteId',
      handle: ({ params: { id = '', noteId = '' } }) =>
        item(
          noteId,
          ({ conversationId, body }) => conversationId === id && body.includes('"type":"CONVERSATION_NOTE"'),
        ),
    },
  ];
}

/** The oldest ones, and a header that says whether there are more. Its exact value is unknown (gladly.md 6.9). */
function limitedList(bodies: readonly string[], most: number): Answer {
  return jsonList(bodies.slice(0, most), { 'Gladly-Limited-Data': String(bodies.length > most) });
}
