import { z } from 'zod';
import type { Emitter } from '../life/emitter.ts';
import type { Extras } from '../life/extras.ts';
import type { Life } from '../life/life.ts';
import { channelSchema } from '../model.ts';
import { json } from '../rest/answer.ts';
import type { Stores } from '../store/stores.ts';
import { ControlError, type ControlRoute, missing, read } from './control.ts';
import type { Runs } from './runs.ts';

const emitSchema = z.strictObject({
  count: z.int().positive().max(200_000),
  conversationId: z.string().optional(),
  conversations: z.int().positive().max(10_000).optional(),
  onlySubscribed: z.boolean().optional(),
  newConversations: z.boolean().optional(),
  ratePerSecond: z.number().positive().max(10_000).optional(),
  /** false: answers at once with 202 and the run's id. */
  wait: z.boolean().default(true),
});

const conversationSchema = z.strictObject({
  items: z.int().min(0).max(20_000).default(0),
  channel: channelSchema.default('CHAT'),
  customerId: z.string().optional(),
});

const thirdPartySchema = z.strictObject({ from: z.enum(['INTERNAL', 'EXTERNAL']).default('EXTERNAL') });

const mergeSchema = z.strictObject({
  sourceCustomerId: z.string(),
  destinationCustomerId: z.string(),
  nameConversations: z.boolean().default(true),
});

const pageSchema = z.object({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().positive().max(10_000).default(1000),
});

export type LifeParts = { stores: Stores; emitter: Emitter; extras: Extras; life: Life; runs: Runs };

/** Making things happen, and looking at the conversations as they truly are. */
export function lifeRoutes({ stores, emitter, extras, life, runs }: LifeParts): ControlRoute[] {
  const { conversations, customers } = stores;
  return [
    {
      method: 'POST',
      path: '/simulator/emit',
      handle: async ({ body }) => {
        const { count, wait, ...options } = read(emitSchema, body);
        if (options.conversationId !== undefined && conversations.body(options.conversationId) === undefined) {
          throw missing('conversation', options.conversationId);
        }
        const { run, finished } = runs.start(count, options);
        if (!wait) return json(202, { run: run.id });
        const result = await finished;
        if (result.state === 'failed') throw new ControlError(409, result.error ?? 'The emission failed.');
        return json(200, { run: run.id, events: result.events, deliveries: result.deliveries });
      },
    },
    {
      method: 'GET',
      path: '/simulator/runs/:id',
      handle: ({ params: { id = '' } }) => {
        const run = runs.get(Number(id));
        if (run === undefined) throw missing('run', id);
        return json(200, run);
      },
    },
    {
      method: 'GET',
      path: '/simulator/conversations',
      handle: ({ query }) => {
        const { after, limit } = read(pageSchema, Object.fromEntries(query));
        const page = conversations.list(after, limit);
        return json(200, { conversations: page, next: page.at(-1)?.number ?? after });
      },
    },
    {
      method: 'POST',
      path: '/simulator/conversations',
      handle: ({ body }) => {
        const { items, channel, customerId } = read(conversationSchema, body);
        if (customerId !== undefined && customers.get(customerId) === undefined) throw missing('customer', customerId);
        return json(
          201,
          emitter.commit(() => extras.addConversation(items, channel, customerId)),
        );
      },
    },
    {
      method: 'GET',
      path: '/simulator/conversations/:id',
      handle: ({ params: { id = '' } }) => {
        const body = conversations.body(id);
        if (body === undefined) throw missing('conversation', id);
        const items: unknown[] = conversations.itemBodies(id).map((item) => JSON.parse(item.body));
        const conversation: unknown = JSON.parse(body);
        return json(200, { conversation, items });
      },
    },
    {
      method: 'DELETE',
      path: '/simulator/conversations/:id',
      handle: ({ params: { id = '' } }) => {
        if (!emitter.commit(() => conversations.remove(id))) throw missing('conversation', id);
        life.reload();
        return json(200, { deleted: id });
      },
    },
    {
      method: 'POST',
      path: '/simulator/conversations/:id/unsupported-items',
      handle: ({ params: { id = '' } }) => {
        const itemId = emitter.commit(() => extras.addUnsupportedItem(id));
        if (itemId === undefined) throw missing('conversation', id);
        return json(201, { id: itemId });
      },
    },
    {
      method: 'POST',
      path: '/simulator/conversations/:id/move',
      handle: ({ params: { id = '' } }) => {
        const newId = emitter.commit(() => extras.moveConversation(id));
        if (newId === undefined) throw missing('conversation', id);
        life.reload();
        return json(200, { id: newId });
      },
    },
    {
      method: 'POST',
      path: '/simulator/conversations/:id/third-party-mails',
      handle: ({ params: { id = '' }, body }) => {
        const { from } = read(thirdPartySchema, body);
        const made = emitter.commit(() => extras.addThirdPartyMail(id, from));
        if (made === undefined) throw missing('conversation', id);
        return json(201, made);
      },
    },
    {
      method: 'POST',
      path: '/simulator/customers/merge',
      handle: ({ body }) => {
        const { sourceCustomerId, destinationCustomerId, ...options } = read(mergeSchema, body);
        for (const id of [sourceCustomerId, destinationCustomerId]) {
          if (customers.get(id)?.mergedInto !== null) throw missing('unmerged customer', id);
        }
        if (sourceCustomerId === destinationCustomerId)
          throw new ControlError(422, 'a customer cannot be merged with itself');
        const event = emitter.commit(() => extras.mergeCustomers(sourceCustomerId, destinationCustomerId, options));
        if (event === undefined) throw new ControlError(409, 'Both customers need a conversation.');
        life.reload();
        return json(200, { event });
      },
    },
  ];
}
