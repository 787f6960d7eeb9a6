import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createOnce } from '../../../src/api/pages/once.ts';

describe('a form that is sent twice', () => {
  it('is acted upon once, and both get the answer', async () => {
    const once = createOnce(10_000);
    let acts = 0;
    const act = async () => {
      acts += 1;
      await delay(5);
      return acts;
    };
    const [first, second] = await Promise.all([once.run('pause', { a: 1 }, act), once.run('pause', { a: 1 }, act)]);
    expect([first, second, await once.run('pause', { a: 1 }, act)]).toEqual([1, 1, 1]);
    expect(await once.run('pause', { a: 2 }, act)).toBe(2);
    expect(await once.run('resume', { a: 1 }, act)).toBe(3);
  });

  it('is a new wish when its time is over', async () => {
    const once = createOnce(1);
    let acts = 0;
    const act = async () => ++acts;
    await once.run('pause', {}, act);
    await delay(20);
    expect(await once.run('pause', {}, act)).toBe(2);
  });

  it('may be tried again at once when it failed', async () => {
    const once = createOnce(10_000);
    await expect(once.run('pause', {}, () => Promise.reject(new Error('out')))).rejects.toThrow('out');
    expect(await once.run('pause', {}, async () => 'done')).toBe('done');
  });
});
