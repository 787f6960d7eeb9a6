import { z } from 'zod';
import type { Conversations } from '../store/conversations.ts';
import { type Answer, type ApiError, errors } from './answer.ts';
import type { Route } from './router.ts';

/** 10 a minute and 2 at a time for each organization (gladly.md 2.4); an answer here is immediate, so only the first. */
const REPORTS_PER_MINUTE = 10;

/** A few of the documented metric sets: the ones an integration may want. */
const METRIC_SETS = [
  'ConversationExportReport',
  'ConversationSummaryReport',
  'ConversationTimestampsReport',
  'ContactExportReportV3',
  'ContactSummaryReportV2',
  'ContactTimestampsReport',
  'TopicSummaryReport',
];

const DATE = /^\d{4}-\d\d-\d\d$/;
const bodySchema = z.looseObject({
  metricSet: z.string().optional(),
  startAt: z.string().optional(),
  endAt: z.string().optional(),
});

/** POST /reports: a small CSV, at once. The one endpoint whose need of Administrator is documented (gladly.md 4). */
export function reportRoutes(conversations: Conversations, now: () => number = Date.now): Route[] {
  let recent: number[] = [];
  return [
    {
      method: 'POST',
      path: '/api/v1/reports',
      role: 'Administrator',
      handle: ({ body }) => {
        recent = recent.filter((time) => time > now() - 60_000);
        if (recent.length >= REPORTS_PER_MINUTE) return { status: 429, headers: {}, body: '' };
        recent.push(now());
        return report(conversations, body);
      },
    },
  ];
}

function report(conversations: Conversations, body: string): Answer {
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success) return errors(400, { code: 'invalid', detail: 'request body is not valid' });
  const { metricSet, startAt, endAt } = parsed.data;
  const problems: ApiError[] = [];
  if (metricSet === undefined)
    problems.push({ attr: 'metricSet', code: 'blank', detail: 'metricSet must be specified' });
  else if (!METRIC_SETS.includes(metricSet)) {
    problems.push({ attr: 'metricSet', code: 'invalid', detail: 'the specified value is not a valid metricSet' });
  }
  for (const [attr, value] of Object.entries({ startAt, endAt })) {
    if (value === undefined) problems.push({ attr, code: 'blank', detail: `${attr} must be specified` });
    else if (!DATE.test(value) || Number.isNaN(Date.parse(value))) {
      problems.push({ attr, code: 'invalid', detail: `${attr} must be in the format YYYY-mm-dd` });
    }
  }
  if (problems.length === 0 && (endAt ?? '') < (startAt ?? '')) {
    problems.push({ attr: 'endAt', code: 'invalid', detail: 'endAt must not be before startAt' });
  }
  if (problems.length > 0) return errors(400, ...problems);
  const file = `${metricSet}-${startAt}-${endAt}.csv`;
  return {
    status: 200,
    headers: { 'content-type': 'text/csv', 'content-disposition': `attachment; filename=${file}` },
    body: csv(conversations, startAt ?? '', endAt ?? ''),
  };
}

/** One row a conversation, by creation date, both dates included; a byte-order mark first, as live ones may have. */
function csv(conversations: Conversations, startAt: string, endAt: string): string {
  const rows = conversations
    .bodiesCreatedBetween(startAt, `${endAt}T23:59:59.999999999Z`, 1000)
    .map((conversation) =>
      [conversation.id, conversation.customerId, conversation.createdAt, conversation.status].join(','),
    );
  return ['\uFEFFConversation ID,Customer ID,Created At,Status', ...rows, ''].join('\n');
}

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
