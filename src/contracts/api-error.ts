/** Everything that a caller of the API can be told to be wrong. The codes are stable; tools hold on to them. */
const CODES = {
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  tenant_exists: 409,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  too_many_requests: 429,
  internal_error: 500,
  store_unavailable: 503,
  temporal_unavailable: 503,
  queue_unavailable: 503,
} as const;

export type ApiErrorCode = keyof typeof CODES;

export interface FieldError {
  /** Path of the field, such as `retentionDays`; empty for the body as a whole. */
  readonly field: string;
  readonly message: string;
}

/** An answer that is not what was asked for. `detail` says what happened and what to do, and is safe to show. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  readonly fields: readonly FieldError[];

  constructor(code: ApiErrorCode, detail: string, fields: readonly FieldError[] = [], options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.fields = fields;
  }

  /** Seconds after which the same request may do better; null: it will not. */
  get retryAfterS(): number | null {
    return this.status === 503 || this.status === 429 ? 5 : null;
  }

  /** Status of the HTTP answer. */
  get status(): number {
    return CODES[this.code];
  }
}
