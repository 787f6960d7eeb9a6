import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { ApiError } from '../../contracts/api-error.ts';

/** What was thrown, as a caller may see it. Nothing of an unknown error reaches the answer. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof WorkflowNotFoundError) {
    return new ApiError('not_found', 'There is no workflow of this tenant to ask.', [], { cause: thrown });
  }
  if (isGrpcServiceError(thrown) || thrown instanceof ServiceError) {
    // The call may or may not have reached Temporal. Every command is idempotent.
    return new ApiError(
      'temporal_unavailable',
      'Temporal does not answer. What was asked for may still be done: look at the status, and ask again if it is not.',
      [],
      { cause: thrown },
    );
  }
  if (isStoreError(thrown) && UNKEEPABLE.test(codeOf(thrown))) {
    const detail = 'Something in the request cannot be kept, such as a character that no text has.';
    return new ApiError('invalid_request', detail, [], { cause: thrown });
  }
  if (isStoreError(thrown) && 'transient' in thrown && thrown.transient === true) {
    return new ApiError('store_unavailable', 'The database does not answer. Try again soon.', [], { cause: thrown });
  }
  return new ApiError('internal_error', 'Something of ours went wrong. The log has it under this request id.', [], {
    cause: thrown,
  });
}

/** SQLSTATEs of values that Postgres does not take: the same request is refused again. */
const UNKEEPABLE = /^(22|54)/;

const codeOf = (thrown: object): string => ('code' in thrown && typeof thrown.code === 'string' ? thrown.code : '');

/** StoreError (store/errors.ts). One that time does not heal is about our own statements: the database does answer. */
function isStoreError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === 'StoreError';
}
