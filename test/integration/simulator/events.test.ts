import { describe, expect, test } from 'vitest';
import { type Gladly, startGladly } from '../../support/simulator/gladly.ts';

const HOUR_MS = 3_600_000;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

async function stream(gladly: Gladly, query: string): Promise<{ id: string; type: string; timestamp: string }[]> {
  const { status, text, headers } = await gladly.api('GET', `/events?${query}`);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/x-jsonlines']);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

describe('the events API', () => {
  test('streams the events of the entities asked for, oldest first, without changes of status', async () => {
    const gladly = await startGladly();
    const { events } = await gladly.emit({ count: 400 });
    const all = await stream(gladly, `startAt=${ago(HOUR_MS)}&entities=CONVERSATION&entities=CONTACT`);
    const expected = events.filter(({ type }) => type !== 'CONVERSATION_STATUS/UPDATED').map(({ id }) => id);
    expect(all.map(({ id }) => id)).toEqual(expected);
    expect(expected.length).toBeLessThan(400);

    const contacts = await stream(gladly, `startAt=${ago(HOUR_MS)}&entities=CONTACT`);
    expect(contacts).toEqual(all.filter(({ type }) => type.startsWith('CONTACT/')));
    const assignments = all.filter(({ type }) => type === 'CONVERSATION_ASSIGNEE/UPDATED');
    expect(assignments.length).toBeGreaterThan(0);
    expect(await stream(gladly, `startAt=${ago(HOUR_MS)}&entities=TASK`)).toEqual([]);
  });

  test('takes the start, leaves out the end', async () => {
    const gladly = await startGladly();
    await gladly.emit({ count: 30, ratePerSecond: 100 });
    const entities = 'entities=CONVERSATION&entities=CONTACT';
    const all = await stream(gladly, `startAt=${ago(HOUR_MS)}&${entities}`);
    const middle = all[10]?.timestamp.replace(/(\.\d{3})\d*Z|Z$/, '$1Z') ?? '';
    const before = await stream(gladly, `startAt=${ago(HOUR_MS)}&endAt=${middle}&${entities}`);
    const after = await stream(gladly, `startAt=${middle}&${entities}`);
    expect([...before, ...after]).toEqual(all);
    expect(before.length).toBeGreaterThan(0);
  });

  test('is 15 seconds behind unless told otherwise', async () => {
    const gladly = await startGladly({ eventsLagSeconds: 15 });
    await gladly.emit({ count: 5 });
    const query = () => stream(gladly, `startAt=${ago(HOUR_MS)}&entities=CONVERSATION&entities=CONTACT`);
    expect(await query()).toEqual([]);
    await gladly.set({ eventsLagSeconds: 0 });
    expect((await query()).length).toBeGreaterThan(0);
  });

  test.each([
    ['no startAt', 'entities=CONTACT', 'startAt', 'blank'],
    ['a startAt that is no time', 'startAt=yesterday&entities=CONTACT', 'startAt', 'invalid'],
    ['a startAt of 25 hours ago', `startAt=${ago(25 * HOUR_MS)}&entities=CONTACT`, 'startAt', 'invalid'],
    ['an endAt before startAt', `startAt=${ago(1000)}&endAt=${ago(2000)}&entities=CONTACT`, 'startAt', 'invalid'],
    ['an endAt that is no time', `startAt=${ago(1000)}&endAt=now&entities=CONTACT`, 'endAt', 'invalid'],
    ['no entities', `startAt=${ago(1000)}`, 'entities', 'blank'],
    ['an unknown entity', `startAt=${ago(1000)}&entities=MESSAGE`, 'entities', 'invalid'],
    [
      'an offset whose plus was not encoded',
      'startAt=2026-01-01T00:00:00+01:00&entities=CONTACT',
      'startAt',
      'invalid',
    ],
  ])('refuses %s', async (_, query, attr, code) => {
    const gladly = await startGladly();
    const { status, json } = await gladly.api('GET', `/events?${query}`);
    expect([status, json]).toMatchObject([400, { errors: [{ attr, code }] }]);
  });

  test('takes a startAt with an offset', async () => {
    const gladly = await startGladly();
    const local = new Date(Date.now() - HOUR_MS + 2 * HOUR_MS).toISOString().replace('Z', '+02:00');
    await gladly.emit({ count: 1 });
    expect(await stream(gladly, `startAt=${encodeURIComponent(local)}&entities=CONVERSATION`)).toHaveLength(1);
  });
});

describe('reports', () => {
  const REPORT = { metricSet: 'ConversationExportReport', startAt: '2020-01-01', endAt: '2099-01-01' };

  test('are a CSV with a row for each conversation', async () => {
    const gladly = await startGladly({ conversations: 7 });
    const { status, text, headers } = await gladly.api('POST', '/reports', REPORT);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv']);
    expect(text.trimEnd().split('\n')).toHaveLength(8);
    const none = await gladly.api('POST', '/reports', { ...REPORT, startAt: '2019-01-01', endAt: '2019-01-02' });
    expect(none.text.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each([
    ['no metricSet', { ...REPORT, metricSet: undefined }, 'metricSet', 'blank'],
    ['an unknown metricSet', { ...REPORT, metricSet: 'Everything' }, 'metricSet', 'invalid'],
    ['a time instead of a date', { ...REPORT, startAt: '2020-01-01T00:00:00Z' }, 'startAt', 'invalid'],
    ['no endAt', { ...REPORT, endAt: undefined }, 'endAt', 'blank'],
    ['an end before the start', { ...REPORT, endAt: '2019-12-31' }, 'endAt', 'invalid'],
  ])('refuse %s', async (_, body, attr, code) => {
    const gladly = await startGladly();
    const { status, json } = await gladly.api('POST', '/reports', body);
    expect([status, json]).toMatchObject([400, { errors: [{ attr, code }] }]);
  });
});
