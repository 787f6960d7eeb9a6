import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { callsOf, markCalls } from '../support/calls.ts';
import { figure } from '../support/figures.ts';
import { historyEvents } from '../support/history.ts';
import { inWords } from '../support/processor-time.ts';
import type { Finding, Say } from '../support/report.ts';
import { World } from '../support/world.ts';
import { lastDone, makeBacklog, resume, untilDrained } from './backlog.ts';
import { Rival } from './rival.ts';

const SHARE = 0.7;
const QUOTA = 10;
/** The rest of the backlog need not take the eight minutes that 10 requests a second would. */
const QUICK_QUOTA = 60;
const ALONE_MS = 60_000;
const WITH_RIVAL_MS = 90_000;
/** Until the first drain has begun and taken in what a reading can be made for. */
const WARM_UP_MS = 5_000;
const DRAIN_MS = 900_000;

/** How few calls a backlog costs, and how its quota is used, alone and beside another client. */
export async function measureFrugality(events: number, say: Say): Promise<readonly Finding[]> {
  const world = await World.start();
  try {
    const pipeline = world.pipeline();
    await makeBacklog(pipeline, events);
    say(`${events} events wait`);
    const before = await historyEvents(world, pipeline.tenantId);
    await markCalls(pipeline);
    const time = world.processorTime();
    await resume(pipeline);
    await sleep(WARM_UP_MS);
    const warmUp = await markCalls(pipeline);
    await sleep(ALONE_MS);
    const alone = await markCalls(pipeline);
    const used = (alone.calls / alone.sinceMs) * 1_000;
    say(`alone: ${used.toFixed(2)} calls/s, ${alone.refused} refused`);

    const rival = new Rival(world);
    await sleep(WITH_RIVAL_MS);
    await rival.stop();
    const together = await markCalls(pipeline);
    const [theirs, ours] = [true, false].map((its) => callsOf(together, (client) => client.includes('rival') === its));
    say(`with a rival: its ${JSON.stringify(theirs)}, ours ${JSON.stringify(ours)}`);

    await pipeline.control('PATCH', '/simulator/settings', { quotaPerSecond: QUICK_QUOTA }, z.unknown());
    await untilDrained(pipeline, DRAIN_MS);
    const rest = await markCalls(pipeline);
    const words = inWords(time.stop());
    const { done } = await lastDone(world, pipeline.tenantId);
    const history = (await historyEvents(world, pipeline.tenantId)) - before;
    const calls = warmUp.calls + alone.calls + (ours?.calls ?? 0) + rest.calls;
    const conversations = (await pipeline.feed()).size;
    const floor = (2 * conversations) / done;
    const rate = (refused = 0, of = 0): number => (100 * refused) / of;
    return [
      {
        figure: figure('calls_per_event', calls / done, 'calls', 'lower', 0.2),
        how: `${calls} calls for ${done} events of ${conversations} conversations, all of them waiting at the start; event by event it would be 2, and reading each conversation once ${floor.toFixed(3)}`,
      },
      {
        figure: figure('quota_used', (100 * used) / (SHARE * QUOTA), '%', 'higher', 98),
        how: `of ${SHARE * QUOTA} requests a second (${SHARE} of ${QUOTA}), for ${ALONE_MS / 1_000} s within that backlog; ${alone.refused} calls were answered with 429`,
      },
      {
        figure: figure('rival_429', rate(theirs?.refused, theirs?.calls), '%', 'lower', 1),
        how: `of ${theirs?.calls} calls of a client that makes 5 a second, for ${WITH_RIVAL_MS / 1_000} s from its very first; ours: ${ours?.refused} of ${ours?.calls}`,
      },
      {
        figure: figure('history_events_per_1000', (1_000 * history) / done, 'events', 'lower', 2),
        how: `${history} events in Temporal for the whole backlog; the first ${(WARM_UP_MS + ALONE_MS + WITH_RIVAL_MS) / 1_000} s of it with Gladly's quota of ${QUOTA}, the rest with ${QUICK_QUOTA}. Processor time from the resume to the last one stored: ${words}`,
      },
    ];
  } finally {
    await world.end();
  }
}
