import type { BatchTransport, SendResult } from '../../../src/queue/sender.ts';

export interface Call {
  readonly queueUrl: string;
  readonly texts: readonly string[];
  /** Ends the call. */
  answer(results: readonly SendResult[]): void;
}

/** A transport whose calls wait until the test answers them. */
export interface ScriptedTransport extends BatchTransport {
  readonly calls: Call[];
}

export function scriptedTransport(): ScriptedTransport {
  const calls: Call[] = [];
  return {
    calls,
    sendBatch: (queueUrl, texts) =>
      new Promise((resolve) => {
        calls.push({ queueUrl, texts, answer: resolve });
      }),
    close: () => Promise.resolve(),
  };
}

export const acceptAll = (call: Call): void => call.answer(call.texts.map(() => ({ kind: 'accepted' })));
