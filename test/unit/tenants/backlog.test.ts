import { describe, expect, test } from 'vitest';
import { type BacklogFacts, backlogOf } from '../../../src/tenants/backlog.ts';

const none: BacklogFacts = { inLedger: 0, conversations: 0, inQueue: 0, share: 0.7, quota: null, minutes: [] };
const backlog = (facts: Partial<BacklogFacts>) => backlogOf({ ...none, ...facts });

describe('a backlog', () => {
  test('takes as long as its calls take within our share of the quota', () => {
    // 70 conversations, two calls each, 7 a second.
    expect(backlog({ inLedger: 300, conversations: 70 }).takesMs).toBe(20_000);
  });

  test('takes longer when others use the quota, by what a drain at work allows itself', () => {
    const quota = { limit: 10, allowed: 3.5, used: 3, rivals: 4 };
    expect(backlog({ inLedger: 300, conversations: 70, quota }).takesMs).toBe(40_000);
    expect(backlog({ inLedger: 300, conversations: 70, quota: { ...quota, allowed: null, limit: 100 } }).takesMs).toBe(
      2_000,
    );
  });

  test('counts what is in the queue as the ledger suggests, and at worst as one conversation an event', () => {
    expect(backlog({ inLedger: 100, conversations: 35, inQueue: 100 }).takesMs).toBe(20_000);
    expect(backlog({ inQueue: 70 }).takesMs).toBe(20_000);
  });

  test('is none when nothing waits, and not worth a bar when little does', () => {
    expect(backlog({})).toMatchObject({ waiting: 0, takesMs: 0, done: null });
    expect(backlog({ inLedger: 29, conversations: 5 }).done).toBeNull();
  });

  test('is done so far by what was extracted since little waited', () => {
    const minutes = [
      { extracted: 900, waiting: 0 },
      { extracted: 50, waiting: 350 },
      { extracted: 0, waiting: null },
      { extracted: 150, waiting: 200 },
    ];
    expect(backlog({ inLedger: 200, conversations: 90, minutes }).done).toBe(0.5);
    expect(backlog({ inLedger: 200, conversations: 90 }).done).toBe(0);
  });
});
