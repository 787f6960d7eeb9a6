import { parseEvent } from '../../src/gladly/events.ts';
import { type Figure, figure } from '../support/figures.ts';
import type { Finding, Say } from '../support/report.ts';

export interface ParseOptions {
  /** Read in one round. */
  readonly events: number;
  readonly rounds: number;
}

/** Microseconds an event by `parseEvent` and by JSON.parse alone, of the same texts in alternating rounds; of each the best round. */
export function measureParse({ events, rounds }: ParseOptions, say: Say): readonly Finding[] {
  const texts = Array.from({ length: events }, (_, n) => eventText(n));
  const readers = { bare: JSON.parse as (text: string) => unknown, ours: parseEvent };
  const best = { bare: Number.POSITIVE_INFINITY, ours: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round += 1) {
    for (const who of ['bare', 'ours'] as const) {
      const began = performance.now();
      for (const text of texts) readers[who](text);
      best[who] = Math.min(best[who], ((performance.now() - began) * 1_000) / events);
    }
  }
  const [ours, bare] = [best.ours.toFixed(2), best.bare.toFixed(2)];
  say(`parseEvent ${ours} µs an event, JSON.parse ${bare} µs`);
  const times: Figure = figure('parse_vs_json', best.ours / best.bare, 'times', 'lower', 3);
  const how = `CPU time of \`parseEvent\` for an event, ${ours} µs, beside JSON.parse alone, ${bare} µs: the best of ${rounds} alternating rounds of ${events} events`;
  return [{ figure: times, how }];
}

function eventText(n: number): string {
  const content = {
    channel: 'EMAIL',
    contactId: 'contact-1',
    messageId: `message-${n}`,
    customerId: 'customer-1',
    conversationId: `conversation-${n % 100}`,
  };
  const initiator = { type: 'AGENT', id: 'agent-1' };
  const timestamp = '2026-01-05T09:00:00.123456789Z';
  return JSON.stringify({ id: `event-${n}`, type: 'CONTACT/MESSAGE_SENT', timestamp, initiator, content });
}
