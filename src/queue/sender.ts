import type { SendFailure } from './errors.ts';

/** `accepted`: SQS has the message. `failed`: it may have it nevertheless (an answer can get lost), so sending it again can create a second copy. */
export type SendResult = { readonly kind: 'accepted' } | { readonly kind: 'failed'; readonly failure: SendFailure };

/** Sends single messages to queues. */
export interface EventSender {
  /** `bytes`: the length of `text` in UTF-8, which `encodeDelivery` has counted. Never rejects. */
  send(queueUrl: string, text: string, bytes: number): Promise<SendResult>;
  /** Number of messages without a result. */
  readonly pending: number;
  /** Resolves when all messages given before have a result. Messages given afterwards fail as `closed`. */
  close(): Promise<void>;
}

/** Makes the batch calls of a sender: up to ten messages, MAX_MESSAGE_BYTES together. */
export interface BatchTransport {
  /**
   * Resolves with the result of each message, in order. Never rejects: when the whole call fails, each message has that failure. `timeoutMs`
   * limits the whole call, a retry included.
   */
  sendBatch(queueUrl: string, texts: readonly string[], timeoutMs: number): Promise<readonly SendResult[]>;
  close(): Promise<void>;
}

export const ACCEPTED: SendResult = { kind: 'accepted' };
/** The result of a message that was not accepted. */
export const failed = (failure: SendFailure): SendResult => ({ kind: 'failed', failure });
