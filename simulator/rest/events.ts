import type { Clock } from '../clock.ts';
import { ENTITIES } from '../event-types.ts';
import type { Settings } from '../settings.ts';
import type { EventLog } from '../store/events.ts';
import { type Answer, type ApiError, errors } from './answer.ts';
import type { Route } from './router.ts';

export const DAY_MS = 86_400_000;
const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The events API: the envelopes of the last 24 hours as JSON lines, oldest first (gladly.md 1.5). */
export function eventRoutes(events: EventLog, clock: Clock, settings: Settings): Route[] {
  return [{ method: 'GET', path: '/api/v1/events', handle: ({ query }) => list(events, clock, settings, query) }];
}

function list(events: EventLog, clock: Clock, settings: Settings, query: URLSearchParams): Answer {
  const now = clock.now();
  const startAt = query.get('startAt');
  const endAt = query.get('endAt');
  const from = parseTime(startAt);
  const to = endAt === null ? now : parseTime(endAt);
  const entities = query.getAll('entities');

  const problems: ApiError[] = [];
  if (startAt === null) problems.push({ attr: 'startAt', code: 'blank', detail: 'startAt must be specified' });
  else if (from === undefined) problems.push({ attr: 'startAt', code: 'invalid', detail: 'startAt must be ISO 8601' });
  else if (from < now - DAY_MS) {
    problems.push({ attr: 'startAt', code: 'invalid', detail: 'startAt must be within the last 24 hours' });
  }
  if (to === undefined) problems.push({ attr: 'endAt', code: 'invalid', detail: 'endAt must be ISO 8601' });
  else if (from !== undefined && to <= from) {
    problems.push({ attr: 'startAt', code: 'invalid', detail: 'endAt must occur after startAt' });
  }
  if (entities.length === 0) problems.push({ attr: 'entities', code: 'blank', detail: 'entities must be specified' });
  for (const entity of entities.filter((name) => !ENTITIES.includes(name))) {
    problems.push({ attr: 'entities', code: 'invalid', detail: `[${entity}] is not a valid entity` });
  }
  if (problems.length > 0 || from === undefined || to === undefined) return errors(400, ...problems);

  const readable = Math.min(to, now - settings.eventsLagSeconds * 1000);
  const lines = events.between(from, readable, entities, 0, -1).map(({ body }) => `${body}\n`);
  return { status: 200, headers: { 'content-type': 'application/x-jsonlines' }, body: lines.join('') };
}

function parseTime(text: string | null): number | undefined {
  if (text === null || !ISO_8601.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
