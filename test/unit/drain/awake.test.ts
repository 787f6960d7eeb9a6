import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Awake, type AwakeDrain } from '../../../src/activities/drain/awake.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A drain that has had nothing to do for `idleMs`, and what it was told. */
function drainOf(tenantId: string, idleMs: number) {
  const told: string[] = [];
  const tell = (what: string) => () => void (told.at(-1) === what || told.push(what));
  const drain: AwakeDrain = {
    tenantId,
    idleMs: () => idleMs,
    tick: tell('tick'),
    look: tell('look'),
    park: tell('park'),
    moveOn: tell('move on'),
    stop: tell('stop'),
  };
  return { drain, told };
}

it('leaves all drains alone while a tenth of the slots is free', () => {
  const awake = new Awake(10);
  const drains = Array.from({ length: 9 }, (_, n) => drainOf(`t${n}`, 100_000));
  for (const { drain } of drains) awake.enter(drain);
  vi.advanceTimersByTime(1_000);
  expect(drains.flatMap(({ told }) => told).filter((what) => what !== 'tick')).toEqual([]);
  expect(awake.crowded).toBe(false);
});

it('parks those that were idle for longest when slots run short, and no more than needed', () => {
  const awake = new Awake(10);
  const drains = Array.from({ length: 10 }, (_, n) => drainOf(`t${n}`, n * 1_000));
  for (const { drain } of drains) awake.enter(drain);
  vi.advanceTimersByTime(300);
  expect(drains.filter(({ told }) => told.includes('park')).map(({ drain }) => drain.tenantId)).toEqual(['t9']);
  expect(awake.crowded).toBe(false);
});

it('is crowded when all have something to do: then budgets are spent', () => {
  const awake = new Awake(10);
  const leave = Array.from({ length: 10 }, (_, n) => awake.enter(drainOf(`t${n}`, 0).drain));
  vi.advanceTimersByTime(300);
  expect(awake.crowded).toBe(true);
  leave[0]?.();
  vi.advanceTimersByTime(300);
  expect(awake.crowded).toBe(false);
});

it('hands over idle ones first', () => {
  const awake = new Awake(10);
  const [busy, idle] = [drainOf('busy', 0), drainOf('idle', 5_000)];
  awake.enter(busy.drain);
  awake.enter(idle.drain);
  awake.handOver(1);
  expect([busy.told, idle.told]).toEqual([[], ['move on']]);
});

it('hands over all when the worker ends, also those that still come', () => {
  const awake = new Awake(10);
  const [one, late] = [drainOf('one', 0), drainOf('late', 0)];
  awake.enter(one.drain);
  awake.leave();
  awake.enter(late.drain);
  expect([one.told, late.told]).toEqual([['move on'], ['move on']]);
});

it('keeps no timer when no tenant is awake', () => {
  const awake = new Awake(10);
  const leave = awake.enter(drainOf('one', 0).drain);
  expect(vi.getTimerCount()).toBe(1);
  leave();
  expect(vi.getTimerCount()).toBe(0);
  expect(awake.of('one')).toEqual([]);
});

it('stops a drain whose tenant begins another one: it has lost its fence, and would take messages away', () => {
  const awake = new Awake(10);
  const [before, after] = [drainOf('one', 0), drainOf('one', 0)];
  awake.enter(before.drain);
  awake.enter(after.drain);
  expect([before.told, after.told]).toEqual([['stop'], []]);
});
