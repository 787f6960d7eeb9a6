import { randomUUID } from 'node:crypto';
import { createSqsClients, type SqsClients } from '../../../src/queue/client.ts';
import type { QueueUrls } from '../../../src/queue/names.ts';
import { createQueues, type Queues } from '../../../src/queue/provision.ts';
import { createReceiver, type ReceivedMessage, type Receiver } from '../../../src/queue/receiver.ts';

/** Emulators check no credentials, but the SDK requires some. */
export function useTestCredentials(): void {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
}

export interface World {
  readonly clients: SqsClients;
  readonly queues: Queues;
  readonly receiver: Receiver;
}

export function connect(endpoint: string): World {
  useTestCredentials();
  const clients = createSqsClients({ endpoint, region: 'us-east-1' });
  return { clients, queues: createQueues(clients.control), receiver: createReceiver(clients) };
}

/** A new tenant id. */
export const newTenant = (): string => `t-${randomUUID().slice(0, 8)}`;

export async function newQueue(world: World): Promise<QueueUrls & { readonly tenantId: string }> {
  const tenantId = newTenant();
  return { tenantId, ...(await world.queues.provision(tenantId, 4)) };
}

/** Receives until a receive returns no message. */
export async function receiveAll(receiver: Receiver, queueUrl: string): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = [];
  for (;;) {
    const messages = await receiver.receive(queueUrl, { max: 10, waitSeconds: 0 });
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}
