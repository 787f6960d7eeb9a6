import { describe, expect, test } from 'vitest';
import { PartLines } from '../../../dev/part-lines.ts';

const pino = (line: object): string => JSON.stringify({ time: 1, ...line });

describe('what of the parts is shown on the terminal', () => {
  test('warnings and worse, as sentences', () => {
    const lines = new PartLines();
    expect(lines.read('api', pino({ level: 30, msg: 'listening' }), 'stdout')).toBeUndefined();
    expect(lines.read('api', pino({ level: 40, msg: 'slow', tenant: 'acme' }), 'stdout')).toBe(
      'api: warning, tenant acme: slow',
    );
    const failed = pino({ level: 'error', msg: 'no queue', err: { message: 'ECONNREFUSED', stack: 'long' } });
    expect(lines.read('worker', failed, 'stdout')).toBe('worker: error: no queue: ECONNREFUSED');
  });

  test('what a part says on stderr without being a log line, but not what Node says about itself', () => {
    const lines = new PartLines();
    expect(lines.read('api', 'TypeError: x is not a function', 'stderr')).toBe('api: TypeError: x is not a function');
    expect(lines.read('api', 'TypeError: x is not a function', 'stdout')).toBeUndefined();
    expect(lines.read('api', '(node:12) ExperimentalWarning: SQLite', 'stderr')).toBeUndefined();
    expect(lines.read('api', '{ not json', 'stderr')).toBeUndefined();
  });

  test('the same again only after a while', () => {
    const lines = new PartLines();
    const shownAt = [0, 5_000, 9_999, 10_000, 12_000].filter((now) =>
      lines.read('api', pino({ level: 50, msg: 'down' }), 'stdout', now),
    );
    expect(shownAt).toEqual([0, 10_000]);
  });
});
