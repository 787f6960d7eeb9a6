import type { DatabaseSync } from 'node:sqlite';
import { type Conversations, createConversations } from './conversations.ts';
import { type Customers, createCustomers } from './customers.ts';
import { createMeta, type Meta } from './database.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { createEventLog, type EventLog } from './events.ts';
import { createUsers, type Users } from './users.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export type Stores = {
  database: DatabaseSync;
  meta: Meta;
  users: Users;
  customers: Customers;
  conversations: Conversations;
  events: EventLog;
  webhooks: Webhooks;
  deliveries: Deliveries;
};

export function createStores(database: DatabaseSync): Stores {
  return {
    database,
    meta: createMeta(database),
    users: createUsers(database),
    customers: createCustomers(database),
    conversations: createConversations(database),
    events: createEventLog(database),
    webhooks: createWebhooks(database),
    deliveries: createDeliveries(database),
  };
}
