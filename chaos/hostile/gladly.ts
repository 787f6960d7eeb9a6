import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Pipeline } from '../../test/support/pipeline.ts';
import { eventually, HAPPENS_MS } from './patience.ts';
import type { Site } from './scene.ts';
import type { Trouble } from './schedule.ts';

/** Does trouble to one tenant; true when it has really happened. */
export type Does = (site: Site, trouble: Trouble) => Promise<boolean>;

const ALL = '/api/v1/**';
const READS = '/api/v1/conversations/**';
const LISTS = '/api/v1/conversations/*/items';
const NUDGE_MS = 1_500;

/** Longer than the product waits for an answer: 15 s. */
const TOO_SLOW_MS = 20_000;
/** A list that is too large or slow is asked for so often. */
const BAD_LISTS = 2;

const pick = <T>(list: readonly [T, ...T[]], die: number): T => list[Math.floor(die * list.length)] ?? list[0];

/** A spell of one answer, about everything or about conversations only; as Gladly words it, or as what stands in front of it does. */
const spell =
  (status: number, bodies: readonly [string, ...string[]]): Does =>
  ({ pipeline }, { forMs, dice: [one, other] }) =>
    whileFault(pipeline, forMs, { path: one < 0.5 ? ALL : READS, status, body: pick(bodies, other) });

const SINGLES = [
  { status: 401 },
  { status: 403, body: 'html' },
  { status: 404, body: 'html' },
  { status: 404, body: 'errors' },
  { status: 410 },
  { status: 301 },
  { status: 400 },
] as const;

const faults = z.object({ faults: z.array(z.object({ id: z.string(), hits: z.number() })) });
const calls = z.object({ calls: z.number(), refused: z.number(), byStatus: z.record(z.string(), z.number()) });

/** What Gladly, and what stands in front of it, do to one tenant. */
export const GLADLY_TROUBLE = {
  '404 spell': spell(404, ['errors', 'html', 'text', 'empty']),
  '403 spell': spell(403, ['errors', 'html', 'empty']),
  '401 spell': spell(401, ['errors', 'empty']),
  '302 spell': ({ pipeline }, { forMs, dice: [one] }) =>
    whileFault(pipeline, forMs, { path: one < 0.5 ? ALL : READS, redirectTo: 'https://status.gladly.com/' }),
  'HTML spell': ({ pipeline }, { forMs, dice: [one, other] }) =>
    whileFault(pipeline, forMs, { path: one < 0.5 ? ALL : READS, status: other < 0.5 ? 200 : 503, body: 'html' }),
  'single refusal': ({ pipeline }, { dice: [one] }) =>
    whileFault(pipeline, 0, { path: READS, times: 1, ...pick([SINGLES[0], ...SINGLES.slice(1)], one) }),
  'oversize list': ({ pipeline }, { forMs }) =>
    whileFault(pipeline, forMs, { path: LISTS, times: BAD_LISTS, status: 200, body: 'huge' }),
  'slow list': ({ pipeline }, { forMs }) =>
    whileFault(pipeline, forMs, { path: LISTS, times: BAD_LISTS, delayMs: TOO_SLOW_MS }),
  'clocks of Gladly’s nodes': ({ pipeline }, { forMs, dice: [one, other] }) => {
    const nodeClocksMs = [0, Math.round(60_000 * one), -Math.round(60_000 * other)];
    return whileSettings(pipeline, forMs, { nodeClocksMs }, { nodeClocksMs: [0] }, ({ calls: all }) => all);
  },
  'read lag': ({ pipeline }, { forMs, dice: [one] }) => {
    const newLagMs = Math.round(2_000 + 8_000 * one);
    const notFound = ({ byStatus }: z.infer<typeof calls>): number => byStatus['404'] ?? 0;
    const nudge = { count: 2, newConversations: true };
    return whileSettings(pipeline, Math.max(forMs, newLagMs), { newLagMs }, { newLagMs: 0 }, notFound, nudge);
  },
  rival: ({ pipeline }, { forMs }) =>
    whileSettings(pipeline, forMs, { rivalPerSecond: 1_000 }, { rivalPerSecond: 0 }, ({ refused }) => refused),
  merge: ({ pipeline }, { dice: [one] }) => merge(pipeline, one),
  'third-party mail': ({ pipeline, thirdParty }, { dice: [one, other] }) =>
    thirdPartyMail(pipeline, thirdParty, one, other < 0.5 ? 'EXTERNAL' : 'INTERNAL'),
  resend: ({ pipeline }, { dice: [one] }) => resend(pipeline, 1 + Math.floor(20 * one)),
} as const satisfies Record<string, Does>;

/** A fault for so long, and until it has hit. One with `times` is gone by itself when it has. */
async function whileFault(pipeline: Pipeline, forMs: number, fault: object): Promise<boolean> {
  const made = await pipeline.control('POST', '/simulator/faults', fault, z.object({ id: z.string() }));
  const hit = async (): Promise<boolean> => {
    const { faults: list } = await pipeline.control('GET', '/simulator/faults', undefined, faults);
    return list.find(({ id }) => id === made.id)?.hits !== 0;
  };
  try {
    await sleep(forMs);
    return await happens(pipeline, hit);
  } finally {
    // Gone by itself, it cannot be removed.
    await pipeline.control('DELETE', `/simulator/faults/${made.id}`, undefined, z.unknown()).catch(() => undefined);
  }
}

/** Other settings for so long, and until what is counted has grown. */
async function whileSettings(
  pipeline: Pipeline,
  forMs: number,
  during: object,
  after: object,
  counted: (report: z.infer<typeof calls>) => number,
  nudge: object = { count: 1 },
): Promise<boolean> {
  const count = async (): Promise<number> =>
    counted(await pipeline.control('GET', '/simulator/calls', undefined, calls));
  const before = await count();
  await pipeline.control('PATCH', '/simulator/settings', during, z.unknown());
  try {
    await pipeline.control('POST', '/simulator/emit', { onlySubscribed: true, ...nudge }, z.unknown());
    await sleep(forMs);
    return await happens(pipeline, async () => (await count()) > before, nudge);
  } finally {
    await pipeline.control('PATCH', '/simulator/settings', after, z.unknown());
  }
}

/** What shows only when something is read: events are sent until it has. */
async function happens(
  pipeline: Pipeline,
  what: () => Promise<boolean>,
  nudge: object = { count: 1 },
): Promise<boolean> {
  if (await what()) return true;
  return eventually(
    async () => {
      await pipeline.control('POST', '/simulator/emit', { onlySubscribed: true, ...nudge }, z.unknown());
      return what();
    },
    HAPPENS_MS,
    NUDGE_MS,
  );
}

const conversations = z.object({ conversations: z.array(z.object({ id: z.string(), customerId: z.string() })) });

const conversationsOf = async (pipeline: Pipeline) =>
  (await pipeline.control('GET', '/simulator/conversations?limit=10000', undefined, conversations)).conversations;

/** Two customers with conversations become one. */
async function merge(pipeline: Pipeline, die: number): Promise<boolean> {
  const customers = [...new Set((await conversationsOf(pipeline)).map(({ customerId }) => customerId))];
  const [source, destination] = [customers[Math.floor(die * customers.length)], customers.at(-1)];
  const other = destination === source ? customers[0] : destination;
  if (source === undefined || other === undefined || source === other) return false;
  const order = { sourceCustomerId: source, destinationCustomerId: other };
  await pipeline.control('POST', '/simulator/customers/merge', order, z.unknown());
  return true;
}

async function thirdPartyMail(
  pipeline: Pipeline,
  sent: Set<string>,
  die: number,
  from: 'INTERNAL' | 'EXTERNAL',
): Promise<boolean> {
  const all = await conversationsOf(pipeline);
  const chosen = all[Math.floor(die * all.length)];
  if (chosen === undefined) return false;
  const path = `/simulator/conversations/${chosen.id}/third-party-mails`;
  const { itemId } = await pipeline.control('POST', path, { from }, z.object({ itemId: z.string() }));
  sent.add(itemId);
  return true;
}

/** Gladly sends the latest delivered events once more, as when it did not get our answers. */
async function resend(pipeline: Pipeline, count: number): Promise<boolean> {
  const delivered = (await pipeline.deliveries()).filter(({ state }) => state === 'delivered').slice(-count);
  for (const { eventId } of delivered)
    await pipeline.control('POST', '/simulator/deliveries/resend', { eventId }, z.unknown());
  return delivered.length > 0;
}
