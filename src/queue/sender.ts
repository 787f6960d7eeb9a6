import type { SendFailure } from './errors.ts';

/** `accepted`: SQS has it. Anything else: it may still have it (an answer can get lost), so whoever tries again must not mind a second copy. */
export type SendResult = { readonly kind: 'accepted' } | { readonly kind: 'failed'; readonly failure: SendFailure };

/** One message's way into its queue. Never throws. */
export interface EventSender {
  /** `bytes`: of the text in UTF-8, which the envelope has counted already. */
  send(queueUrl: string, text: string, bytes: number): Promise<SendResult>;
  /** Messages that wait or are on their way. */
  readonly pending: number;
  /** Sends what waits and ends; a message given afterwards fails as `closed`. */
  close(): Promise<void>;
}

/** The one call a sender makes, without the batching: up to ten messages, at most MAX_MESSAGE_BYTES together. */
export interface BatchTransport {
  /**
   * Each entry's own result, in the order given. Never throws: trouble with the whole call is every entry's failure.
   * `timeoutMs` is for all of it, a retry included.
   */
  sendBatch(queueUrl: string, texts: readonly string[], timeoutMs: number): Promise<readonly SendResult[]>;
  close(): Promise<void>;
}

export const ACCEPTED: SendResult = { kind: 'accepted' };
export const failed = (failure: SendFailure): SendResult => ({ kind: 'failed', failure });
