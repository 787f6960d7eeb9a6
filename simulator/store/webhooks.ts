import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { text } from './database.ts';

const webhookSchema = z.object({
  id: z.string(),
  name: z.string().optional(),
  events: z.array(z.string()),
  url: z.string(),
  credentials: z.object({ username: z.string(), password: z.string(), realm: z.string().optional() }).optional(),
  headers: z.record(z.string(), z.string()),
  enabled: z.boolean(),
  disabledAtDueToRetryLimit: z.string().optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
/** With its secrets. What the API shows is made in rest/webhooks.ts. */
export type Webhook = z.infer<typeof webhookSchema>;

export type Webhooks = {
  save(webhook: Webhook): void;
  get(id: string): Webhook | undefined;
  list(): readonly Webhook[];
  remove(id: string): void;
};

/** There are 20 at most, and every event asks for them: they are kept in memory beside the table. */
export function createWebhooks(database: DatabaseSync): Webhooks {
  const upsert = database.prepare(
    'INSERT INTO webhooks (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
  );
  const remove = database.prepare('DELETE FROM webhooks WHERE id = ?');
  const rows = database.prepare('SELECT body FROM webhooks ORDER BY number').all();
  const known = new Map(
    rows.map((row) => webhookSchema.parse(JSON.parse(text(row, 'body')))).map((webhook) => [webhook.id, webhook]),
  );

  return {
    save: (webhook) => {
      upsert.run(webhook.id, JSON.stringify(webhook));
      known.set(webhook.id, webhook);
    },
    get: (id) => known.get(id),
    list: () => [...known.values()],
    remove: (id) => {
      remove.run(id);
      known.delete(id);
    },
  };
}
