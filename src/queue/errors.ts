import { SQSServiceException } from '@aws-sdk/client-sqs';

/**
 * Why a message was not accepted. `timeout`, `unreachable`, `server`, `throttled`: SQS as a whole does not work. `denied`: our credentials or rights are
 * refused, for all queues as a rule. `refused`: this queue or message does not work (no such queue). `overloaded`, `too_large`, `closed`: the message was not sent.
 */
export type FailureKind =
  | 'timeout'
  | 'unreachable'
  | 'server'
  | 'throttled'
  | 'denied'
  | 'refused'
  | 'overloaded'
  | 'too_large'
  | 'closed';

export interface SendFailure {
  readonly kind: FailureKind;
  /** SQS's name of the error, or the system's (`ECONNREFUSED`). Never text of the message. */
  readonly code: string;
}

const ENDPOINT_TROUBLE: ReadonlySet<FailureKind> = new Set(['timeout', 'unreachable', 'server', 'throttled', 'denied']);

/** True when messages of other queues would fail in the same way. */
export const isEndpointTrouble = (failure: SendFailure): boolean => ENDPOINT_TROUBLE.has(failure.kind);

const THROTTLES = new Set([
  'RequestThrottled',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'KmsThrottled',
]);

/** AWS answers these with 400 or 403, depending on the protocol (common errors of its API references). */
const DENIALS = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** The failure that an answer of SQS with this HTTP status and error name stands for. */
export function failureOf(status: number, code: string): SendFailure {
  if (THROTTLES.has(code) || status === 429) return { kind: 'throttled', code };
  if (DENIALS.has(code) || status === 401 || status === 403) return { kind: 'denied', code };
  return { kind: status >= 500 ? 'server' : 'refused', code };
}

/** The failure that an exception of the SDK or of the HTTP client stands for. */
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

/** True for SQS's error about a queue that does not exist. */
export const isNoSuchQueue = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'QueueDoesNotExist' || error.name.endsWith('NonExistentQueue'));

/** True for SQS's error about a queue of a name that was deleted less than 60 s ago: until then none can be made under it. */
export const isDeletedRecently = (error: unknown): boolean =>
  error instanceof Error && error.name.endsWith('QueueDeletedRecently');

/** The tags of a queue say that it is another tenant's, or has another use. It was neither used nor changed. */
export class ForeignQueueError extends Error {
  override readonly name = 'ForeignQueueError';
  readonly queue: string;

  constructor(tenantId: string, queue: string) {
    super(`The tags of the queue ${queue} do not name the tenant ${tenantId} and this use: it was left alone`);
    this.queue = queue;
  }
}
