import { describe, expect, it } from 'vitest';
import { perDay, typesInWords } from '../../../bench/actions/meter.ts';
import { Arrivals } from '../../../bench/support/arrivals.ts';
import { endAll, endsWithUs } from '../../../bench/support/ending.ts';
import { inParallel } from '../../../bench/support/in-parallel.ts';
import { OptionsError, readOptions } from '../../../bench/support/options.ts';
import { inWords, OURS, ProcessorTime, parseStat, sumOf, timeOf } from '../../../bench/support/processor-time.ts';
import { grown, parseMetrics, sumBy, total } from '../../../bench/support/server-metrics.ts';
import { alternating } from '../../../bench/tenants/measure.ts';
import { sharesInWords, spreadOf } from '../../../bench/workers/holders.ts';

describe('options of a benchmark', () => {
  const standard = { tenants: 1_000, rate: 30 };

  it('are the standard ones, and the run a whole one, when nothing was given', () => {
    expect(readOptions(standard, [])).toEqual({ options: standard, isWhole: true });
  });

  it('are read in both ways of writing', () => {
    const read = readOptions(standard, ['--tenants', '20', '--rate=0.5']);
    expect(read).toEqual({ options: { tenants: 20, rate: 0.5 }, isWhole: false });
  });

  it.each([[['--tenants']], [['--tenants', 'many']], [['--rate', '-1']], [['--speed', '1']], [['20']]])(
    'refuse %j',
    (words) => {
      expect(() => readOptions(standard, words)).toThrow(OptionsError);
    },
  );
});

describe('processor time', () => {
  const stat = (pid: number, name: string, parent: number, ticks: string): string =>
    `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 1 2 3 4 ${ticks} 20 0 1 0 300 0 0`;

  it('is read from /proc, whatever the name of the process', () => {
    expect(parseStat(stat(7, 'a) b (c', 3, '10 5 2 1'))).toEqual({ pid: 7, parent: 3, ms: 150, ofEnded: 30 });
    expect(parseStat('')).toBeUndefined();
  });

  const table = new Map([
    [1, { pid: 1, parent: 0, ms: 100, ofEnded: 50 }],
    [2, { pid: 2, parent: 1, ms: 20, ofEnded: 0 }],
    [3, { pid: 3, parent: 2, ms: 3, ofEnded: 0 }],
  ]);

  it('of a process is that of its descendants too, also of those that have ended, unless it is wanted alone', () => {
    expect(timeOf({ pid: 1 }, table)).toBe(173);
    expect(timeOf({ pid: 1, alone: true }, table)).toBe(100);
    expect(timeOf({ pid: 4 }, table)).toBeUndefined();
  });

  it('counts from the first look, and from its start for a process that came later under the same name', () => {
    let pid = 1;
    const times = new Map([[1, 100]]);
    const look = () => new Map([...times].map(([of, ms]) => [of, { pid: of, parent: 0, ms, ofEnded: 0 }]));
    const time = new ProcessorTime(() => new Map([['worker', { pid }]]), look);
    times.set(1, 150);
    expect(time.used().get('worker')).toBe(50);
    times.delete(1);
    times.set(2, 30);
    pid = 2;
    expect(time.stop().get('worker')).toBe(80);
  });

  it('is added up for the names that are ours, also where there are several of one', () => {
    const usage = new Map([
      ['worker-1', 10],
      ['worker-2', 20],
      ['api', 5],
      ['simulator', 1_000],
    ]);
    expect(sumOf(usage, OURS)).toBe(35);
    expect(inWords(usage, 10)).toBe(
      'simulator 1.0 s (100.00 ms an event), worker-2 0.0 s (2.00 ms an event), worker-1 0.0 s (1.00 ms an event), api 0.0 s (0.50 ms an event)',
    );
  });
});

describe('metrics of the server', () => {
  const page = [
    '# TYPE action counter',
    'action{action_type="grpc_Signal",namespace="default"} 3',
    'action{action_type="command_Timer",namespace="default"} 2',
    'action{action_type="command_Timer",namespace="other"} 7',
    'plain 1e+06',
    'latency_bucket{le="+Inf"} NaN',
  ].join('\n');

  it('are summed by a label', () => {
    const sums = sumBy(parseMetrics(page), 'action', 'action_type', { namespace: 'default' });
    expect(sums).toEqual(
      new Map([
        ['grpc_Signal', 3],
        ['command_Timer', 2],
      ]),
    );
    expect(total(sums)).toBe(5);
    expect(sumBy(parseMetrics(page), 'plain', 'none')).toEqual(new Map([['', 1_000_000]]));
  });

  it('have grown by what was not there before', () => {
    expect(
      grown(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        new Map([
          ['a', 1],
          ['b', 5],
          ['c', 4],
        ]),
      ),
    ).toEqual(
      new Map([
        ['b', 3],
        ['c', 4],
      ]),
    );
  });
});

describe('actions a tenant and day', () => {
  const nothing = { quiet: 0, quietBefore: 0, swept: 0, sweptBefore: 0, seconds: 100, sweeps: 10, tenants: 2 };

  it('are those of time, and those of 288 sweeps, less what there is without tenants', () => {
    expect(perDay({ ...nothing, quiet: 5, quietBefore: 3 })).toBe(864);
    expect(perDay({ ...nothing, swept: 90, sweptBefore: 50 })).toBe(576);
    expect(perDay({ ...nothing, quietBefore: 3, sweptBefore: 50 })).toBe(0);
  });

  it('are named as the server names them', () => {
    expect(
      typesInWords(
        new Map([
          ['grpc_SignalWorkflowExecution', 3],
          ['command_StartTimer', 7],
        ]),
      ),
    ).toBe('StartTimer 7, SignalWorkflowExecution 3');
    expect(typesInWords(new Map())).toBe('none');
  });
});

describe('who drains whom', () => {
  const held = new Map([
    ['1@here', ['a', 'b', 'c']],
    ['2@here', ['d', 'e']],
    ['3@here', ['f']],
  ]);

  it('spreads as the largest share is to the smallest, and one without any counts as one with one', () => {
    expect(spreadOf(held)).toBe(3);
    expect(spreadOf(new Map([...held, ['4@here', []]]))).toBe(3);
    expect(spreadOf(new Map([['1@here', []]]))).toBe(1);
    expect(sharesInWords(new Map([['0@here', []], ...held]))).toBe('3, 2, 1, 0');
  });
});

describe('events that were accepted', () => {
  const accepted = new Map([
    ['one', { at: 100, tenantId: 'a' }],
    ['two', { at: 200, tenantId: 'b' }],
    ['three', { at: 300, tenantId: 'a' }],
  ]);
  const arrivals = new Arrivals(
    accepted,
    new Map([
      ['one', 20],
      ['two', 90_000],
    ]),
    4,
    60_000,
  );

  it('are as late as the latest when they are not stored', () => {
    expect(arrivals.of()).toEqual({ ms: [20, 90_000, 90_000], stored: 2, refused: 4 });
    expect(arrivals.of({}, (tenantId) => tenantId === 'a').ms).toEqual([20, 60_000]);
  });

  it('are those that were sent in the span', () => {
    expect(arrivals.of({ from: 100, to: 200 }).ms).toEqual([20]);
    expect(arrivals.of({ from: 200 }).ms).toEqual([90_000, 90_000]);
  });
});

it('every fifth tenant of a mixture is one of the others, while there are any', () => {
  const tenant = (tenantId: string) => ({ tenantId, url: '', key: '' });
  const mixed = alternating(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(tenant), [tenant('sleeper')], 5);
  expect(mixed.map(({ tenantId }) => tenantId).join(' ')).toBe('a b c d sleeper e f g h i');
});

it('work in parallel keeps its order, its bound, and its first failure', async () => {
  let [now, most] = [0, 0];
  const act = async (n: number): Promise<number> => {
    now += 1;
    most = Math.max(most, now);
    await Promise.resolve();
    now -= 1;
    return n * n;
  };
  expect(await inParallel([1, 2, 3, 4, 5], 2, act)).toEqual([1, 4, 9, 16, 25]);
  expect(most).toBe(2);
  const failing = inParallel([1, 2, 3], 1, (n) => (n === 2 ? Promise.reject(new Error('two')) : act(n)));
  await expect(failing).rejects.toThrow('two');
});

it('what was started is ended, last first, also when one end fails, and not what has ended before', async () => {
  const ended: string[] = [];
  const end = (name: string) => async () => void ended.push(name);
  endsWithUs(end('first'));
  endsWithUs(() => Promise.reject(new Error('cannot')));
  const takeBack = endsWithUs(end('over'));
  endsWithUs(end('last'));
  takeBack();
  await endAll();
  expect(ended).toEqual(['last', 'first']);
});
