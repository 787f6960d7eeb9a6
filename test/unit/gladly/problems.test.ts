import { describe, expect, it } from 'vitest';
import {
  isNotice,
  isProblemCode,
  type Problem,
  problem,
  problemCodes,
  problemMendedBy,
  problemRemedy,
  problemSentence,
  problemText,
} from '../../../src/contracts/problems.ts';

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((it) => it[1] ?? '');

describe('the catalogue of problems', () => {
  it.each(problemCodes)('%s reads as plain sentences', (code) => {
    const { sentence, remedy } = problemText(code);
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    for (const text of [sentence, remedy]) {
      expect(text).toMatch(/^[A-Z{].*\.$/);
      expect(text).not.toMatch(/null|undefined|HTTP \d|exception/);
    }
    expect(sentence.length).toBeLessThan(160);
  });

  it('never takes what must stay secret or private', () => {
    const names = problemCodes.flatMap((code) => placeholders(Object.values(problemText(code)).join(' ')));
    expect(names).toContain('domain');
    expect(names.filter((name) => /token|key|email|secret|password|text/i.test(name))).toEqual([]);
  });

  it('fills in the params of sentence and remedy', () => {
    const it = problem('redirect_refused', { domain: 'acme.gladly.com', target: 'evil.example' });
    expect(problemSentence(it)).toBe(
      'acme.gladly.com sent us on to evil.example. Your API token is never sent to another address.',
    );
    expect(problemRemedy(it)).toContain('If evil.example is the address at which you open Gladly');
  });

  it('does not read a param as a placeholder or a pattern', () => {
    const it = problem('domain_not_gladly', { domain: '{domain} $& $1' });
    expect(problemSentence(it)).toBe('{domain} $& $1 is not an address of Gladly.');
  });

  it('still reads a problem that an older version stored without a param', () => {
    const stored: Problem = JSON.parse('{"code":"token_rejected","params":{},"since":"2026-01-01T00:00:00Z"}');
    expect(problemSentence(stored)).toBe('Gladly does not accept the email address and API token for ?.');
  });

  it('tells what time heals from what a person mends, and notices from obstacles', () => {
    expect(problemMendedBy(problem('gladly_server_error', { status: 503 }))).toBe('time');
    expect(problemMendedBy(problem('agent_role_missing'))).toBe('customer');
    expect(problemMendedBy(problem('dead_letters_waiting', { count: 3 }))).toBe('operator');
    expect(isNotice(problem('webhook_events_extra', { events: 'TASK/CREATED' }))).toBe(true);
    expect(isNotice(problem('webhook_events_missing', { events: 'CONVERSATION/CLOSED' }))).toBe(false);
  });

  it('knows its codes', () => {
    expect(isProblemCode('token_rejected')).toBe(true);
    expect(isProblemCode('toString')).toBe(false);
  });

  it('lets the compiler refuse an unknown code and a missing param', () => {
    // @ts-expect-error no such code
    expect(problem('no_such_problem').code).toBe('no_such_problem');
    // @ts-expect-error the domain is missing
    expect(problem('token_rejected').params).toEqual({});
  });
});
