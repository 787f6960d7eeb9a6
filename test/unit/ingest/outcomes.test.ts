import { Registry } from '@prometheus-io/client';
import { describe, expect, test } from 'vitest';
import { rawAnswer } from '../../../src/api/ingest/answers.ts';
import { createIngestMetrics } from '../../../src/api/ingest/metrics.ts';
import { answerOf, type EngineOutcome, outcomeNames } from '../../../src/api/ingest/outcomes.ts';

/** A second copy on purpose: a changed status changes how Gladly reacts. */
const PROMISED: Record<string, number | null> = {
  queued: 200,
  ledgered: 200,
  pinged: 200,
  wrong_key: 401,
  wrong_method: 405,
  too_slow: 408,
  too_large: 413,
  unknown_encoding: 415,
  too_many_wrong_keys: 429,
  malformed: 400,
  headers_too_large: 431,
  nowhere_to_keep: 503,
  keys_unknown: 503,
  hung_up: null,
};

describe('outcomes', () => {
  test('are in the metrics from the start, at 0', async () => {
    const registry = new Registry();
    createIngestMetrics(registry, () => 0);
    const text = await registry.metrics();
    for (const name of outcomeNames) expect(text).toContain(`ingest_delivery_seconds_count{outcome="${name}"} 0`);
  });

  test('are these, each with this status', () => {
    expect(Object.fromEntries(outcomeNames.map((name) => [name, answerOf(name).status]))).toEqual(PROMISED);
  });

  test('what is not durable is never a success', () => {
    const durable: readonly EngineOutcome[] = ['queued', 'ledgered', 'pinged'];
    const successes = outcomeNames.filter((name) => {
      const { status } = answerOf(name);
      return status !== null && status >= 200 && status < 300;
    });
    expect(successes).toEqual(durable);
  });

  test.each(outcomeNames.filter((name) => PROMISED[name] !== null && PROMISED[name] !== 200))(
    '%s is a problem with a title',
    (name) => {
      const [head = '', body = ''] = rawAnswer(name).split('\r\n\r\n');
      expect(head).toContain(`HTTP/1.1 ${PROMISED[name]} `);
      expect(head).toContain('Content-Type: application/problem+json');
      expect(head).toContain(`Content-Length: ${body.length}`);
      expect(JSON.parse(body)).toEqual({
        type: 'about:blank',
        status: PROMISED[name],
        title: expect.stringMatching(/^[A-Z].{10,}/),
        code: name,
      });
    },
  );
});
