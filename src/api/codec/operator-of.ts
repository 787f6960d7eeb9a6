import type { IncomingMessage } from 'node:http';
import { type Operator, type Operators, shownKey } from '../http/operators.ts';

/** Who makes this request; undefined without a known key or session. */
export type OperatorOf = (request: IncomingMessage) => Operator | undefined | Promise<Operator | undefined>;

/** By operator key: `Authorization: Bearer KEY`, as the Temporal CLI sends it. */
export function byBearerKey(operators: Operators): OperatorOf {
  return ({ headers }) => {
    const key = shownKey(headers.authorization ?? '');
    return key === undefined ? undefined : operators.byKey(key);
  };
}

/** The operator that the first successful way finds. */
export function firstKnown(...ways: readonly OperatorOf[]): OperatorOf {
  return async (request) => {
    for (const way of ways) {
      const operator = await way(request);
      if (operator !== undefined) return operator;
    }
    return undefined;
  };
}
