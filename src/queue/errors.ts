import { SQSServiceException } from '@aws-sdk/client-sqs';

/**
 * Why a message was not accepted. `timeout`, `unreachable`, `server` and `throttled` are trouble of SQS as a whole; `refused` is
 * about this queue or message (no such queue, no permission); the others never reached SQS.
 */
export type FailureKind =
  | 'timeout'
  | 'unreachable'
  | 'server'
  | 'throttled'
  | 'refused'
  | 'overloaded'
  | 'too_large'
  | 'closed';

export interface SendFailure {
  readonly kind: FailureKind;
  /** SQS's own name of the error, or the system's (`ECONNREFUSED`). Never the message's text. */
  readonly code: string;
}

const ENDPOINT_TROUBLE: ReadonlySet<FailureKind> = new Set(['timeout', 'unreachable', 'server', 'throttled']);

/** True when another message would fare no better. */
export const isEndpointTrouble = (failure: SendFailure): boolean => ENDPOINT_TROUBLE.has(failure.kind);

const THROTTLES = new Set([
  'RequestThrottled',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'KmsThrottled',
]);

/** What an answer of SQS with an error status means. */
export function failureOf(status: number, code: string): SendFailure {
  if (THROTTLES.has(code) || status === 429) return { kind: 'throttled', code };
  return { kind: status >= 500 ? 'server' : 'refused', code };
}

/** What an exception of the SDK or of the HTTP client means. */
export function failureFrom(error: unknown): SendFailure {
  if (error instanceof SQSServiceException) return failureOf(error.$metadata.httpStatusCode ?? 500, error.name);
  const code = codeOf(error);
  const late = code === 'ETIMEDOUT' || code === 'TimeoutError' || code === 'AbortError' || code.includes('TIMEOUT');
  return { kind: late ? 'timeout' : 'unreachable', code };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause instanceof Error ? codeOf(error.cause) : error.name;
}

/** Of SQS's answer to a call about a queue that is not there. */
export const isNoSuchQueue = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'QueueDoesNotExist' || error.name.endsWith('NonExistentQueue'));
