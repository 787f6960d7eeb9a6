import { STATUS_CODES } from 'node:http';
import type { ApiError, ApiErrorCode, FieldError } from '../../contracts/api-error.ts';

/** RFC 9457, with our `code` and, where it helps, the fields that do not fit. */
export interface ProblemDetails {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ApiErrorCode;
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
}

export function problemDetails(error: ApiError, requestId: string): ProblemDetails {
  return {
    type: 'about:blank',
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(error.fields.length > 0 ? { errors: error.fields } : {}),
  };
}
