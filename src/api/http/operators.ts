import { createHash, timingSafeEqual } from 'node:crypto';
import type { OperatorKey } from '../../config.ts';
import { ApiError } from '../../contracts/api-error.ts';

export interface Operator {
  readonly name: string;
  readonly role: OperatorKey['role'];
}

export interface Operators {
  /** The operator whose key this is, or undefined. Takes the same time for any wrong key. */
  byKey(key: string): Operator | undefined;
}

export function operatorsOf(keys: readonly OperatorKey[]): Operators {
  const known = keys.map(({ key, name, role }) => ({ hash: sha256(key), operator: { name, role } }));
  return {
    byKey(key) {
      const hash = sha256(key);
      // Every key is compared, so that the time tells nothing.
      return known.reduce<Operator | undefined>(
        (found, one) => (timingSafeEqual(one.hash, hash) ? one.operator : found),
        undefined,
      );
    },
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The key of an `Authorization: Bearer KEY` header; undefined when there is none. */
export const shownKey = (authorization: string): string | undefined => /^Bearer (\S+)$/i.exec(authorization)?.[1];

/** Throws ApiError: unauthorized without an operator, forbidden for a viewer who wants to change something. */
export function authorize(operator: Operator | undefined, needs: Operator['role']): Operator {
  if (!operator) {
    throw new ApiError(
      'unauthorized',
      'Send an operator key: Authorization: Bearer KEY. The keys are set by OPERATOR_KEYS.',
    );
  }
  if (needs === 'operator' && operator.role === 'viewer') {
    throw new ApiError('forbidden', 'This key may look and not change anything. Use the key of an operator.');
  }
  return operator;
}
