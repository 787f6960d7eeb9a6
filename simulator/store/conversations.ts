import type { DatabaseSync } from 'node:sqlite';
import { type Plot, plotSchema } from '../life/plot.ts';
import { type Conversation, conversationSchema, type Item } from '../model.ts';
import { integer, type Row, text } from './database.ts';

export type StoredConversation = { conversation: Conversation; plot: Plot };

/** Conversations with their items. Bodies are kept as the JSON that the REST API answers with. */
export type Conversations = {
  save(stored: StoredConversation): void;
  get(id: string): StoredConversation | undefined;
  body(id: string): string | undefined;
  /** Oldest first. */
  idsOfCustomer(customerId: string): string[];
  /** By the text of `createdAt`, both ends included; the newest first. */
  bodiesCreatedBetween(from: string, to: string, limit: number): Conversation[];
  /** Conversations with something left to happen, oldest first. */
  live(): { id: string; customerId: string }[];
  list(after: number, limit: number): { number: number; id: string; customerId: string; items: number }[];
  counts(): { conversations: number; live: number; items: number };
  remove(id: string): boolean;
  addItem(item: Item, supported: boolean): void;
  replaceItem(item: Item): void;
  /** Oldest first. */
  itemBodies(conversationId: string): { id: string; body: string }[];
  item(id: string): { conversationId: string; supported: boolean; body: string } | undefined;
  /** Rewrites the customer of a conversation and of its items, after a merge. */
  moveToCustomer(conversationId: string, customerId: string): void;
  /** Gives a conversation and its items another id. False when there is no such conversation. */
  rename(id: string, newId: string): boolean;
  /** The id under which a renamed conversation goes on. */
  newIdOf(id: string): string | undefined;
};

export function createConversations(database: DatabaseSync): Conversations {
  const upsert = database.prepare(
    `INSERT INTO conversations (id, customer_id, body, plot, live) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, body = excluded.body,
       plot = excluded.plot, live = excluded.live`,
  );
  const byId = database.prepare('SELECT * FROM conversations WHERE id = ?');
  const ofCustomer = database.prepare('SELECT id FROM conversations WHERE customer_id = ? ORDER BY number');
  const createdBetween = database.prepare(
    `SELECT body FROM conversations WHERE json_extract(body, '$.createdAt') BETWEEN ? AND ? ORDER BY number DESC LIMIT ?`,
  );
  const live = database.prepare('SELECT id, customer_id FROM conversations WHERE live = 1 ORDER BY number');
  const page = database.prepare(
    `SELECT number, id, customer_id,
       (SELECT count(*) FROM items WHERE conversation_id = conversations.id AND supported = 1) AS items
     FROM conversations WHERE number > ? ORDER BY number LIMIT ?`,
  );
  const counts = database.prepare(
    `SELECT (SELECT count(*) FROM conversations) AS conversations,
       (SELECT count(*) FROM conversations WHERE live = 1) AS live, (SELECT count(*) FROM items) AS items`,
  );
  const remove = database.prepare('DELETE FROM conversations WHERE id = ?');
  const removeItems = database.prepare('DELETE FROM items WHERE conversation_id = ?');
  const insertItem = database.prepare('INSERT INTO items (id, conversation_id, supported, body) VALUES (?, ?, ?, ?)');
  const updateItem = database.prepare('UPDATE items SET body = ? WHERE id = ?');
  const items = database.prepare(
    'SELECT id, body FROM items WHERE conversation_id = ? AND supported = 1 ORDER BY number',
  );
  const item = database.prepare('SELECT conversation_id, supported, body FROM items WHERE id = ?');
  const moveItems = database.prepare(
    `UPDATE items SET body = json_set(body, '$.customerId', ?) WHERE conversation_id = ?`,
  );
  const move = database.prepare(
    `UPDATE conversations SET customer_id = ?1, body = json_set(body, '$.customerId', ?1) WHERE id = ?2`,
  );

  const renameItems = database.prepare(
    `UPDATE items SET conversation_id = ?1, body = json_set(body, '$.conversationId', ?1) WHERE conversation_id = ?2`,
  );
  const rename = database.prepare(`UPDATE conversations SET id = ?1, body = json_set(body, '$.id', ?1) WHERE id = ?2`);
  const noteMove = database.prepare('INSERT INTO moves (id, new_id) VALUES (?, ?)');
  const newId = database.prepare('SELECT new_id FROM moves WHERE id = ?');

  return {
    save: ({ conversation, plot }) => {
      const alive = plot.steps.length > 0 ? 1 : 0;
      upsert.run(conversation.id, conversation.customerId, JSON.stringify(conversation), JSON.stringify(plot), alive);
    },
    get: (id) => toConversation(byId.get(id)),
    body: (id) => {
      const row = byId.get(id);
      return row === undefined ? undefined : text(row, 'body');
    },
    idsOfCustomer: (customerId) => ofCustomer.all(customerId).map((row) => text(row, 'id')),
    bodiesCreatedBetween: (from, to, limit) =>
      createdBetween.all(from, to, limit).map((row) => conversationSchema.parse(JSON.parse(text(row, 'body')))),
    live: () => live.all().map((row) => ({ id: text(row, 'id'), customerId: text(row, 'customer_id') })),
    list: (after, limit) =>
      page.all(after, limit).map((row) => ({
        number: integer(row, 'number'),
        id: text(row, 'id'),
        customerId: text(row, 'customer_id'),
        items: integer(row, 'items'),
      })),
    counts: () => {
      const row = counts.get() ?? {};
      return {
        conversations: integer(row, 'conversations'),
        live: integer(row, 'live'),
        items: integer(row, 'items'),
      };
    },
    remove: (id) => {
      removeItems.run(id);
      return remove.run(id).changes === 1;
    },
    addItem: (added, supported) => {
      insertItem.run(added.id, added.conversationId, supported ? 1 : 0, JSON.stringify(added));
    },
    replaceItem: (changed) => void updateItem.run(JSON.stringify(changed), changed.id),
    itemBodies: (conversationId) =>
      items.all(conversationId).map((row) => ({ id: text(row, 'id'), body: text(row, 'body') })),
    item: (id) => {
      const row = item.get(id);
      if (row === undefined) return undefined;
      const supported = integer(row, 'supported') === 1;
      return { conversationId: text(row, 'conversation_id'), supported, body: text(row, 'body') };
    },
    moveToCustomer: (conversationId, customerId) => {
      move.run(customerId, conversationId);
      moveItems.run(customerId, conversationId);
    },
    rename: (id, other) => {
      if (rename.run(other, id).changes === 0) return false;
      renameItems.run(other, id);
      noteMove.run(id, other);
      return true;
    },
    newIdOf: (id) => {
      const row = newId.get(id);
      return row === undefined ? undefined : text(row, 'new_id');
    },
  };
}

function toConversation(row: Row | undefined): StoredConversation | undefined {
  if (row === undefined) return undefined;
  return {
    conversation: conversationSchema.parse(JSON.parse(text(row, 'body'))),
    plot: plotSchema.parse(JSON.parse(text(row, 'plot'))),
  };
}
