import { Counter, type Registry } from '@prometheus-io/client';
import type { ParameterizedContext } from 'koa';
import { ApiError } from '../../contracts/api-error.ts';
import { networkOf, RateLimit, WRONG_KEY_LIMITS } from './rate-limit.ts';
import type { RequestState } from './request-log.ts';
import { senderAddress } from './sender.ts';

/** Where an operator key was shown. */
const PLACES = ['api', 'console', 'codec'] as const;
export type KeyPlace = (typeof PLACES)[number];

export interface RefusedKeys {
  /**
   * A key that is no operator's was shown: counts and logs it. Throws ApiError (too_many_requests) when this address has shown too many. A right
   * key is never counted, and always goes through.
   */
  note(ctx: ParameterizedContext<RequestState>, place: KeyPlace): void;
}

/** `proxies`: own balancers in front of this process, see senderAddress. */
export function createRefusedKeys({
  registry,
  proxies,
}: {
  readonly registry: Registry;
  readonly proxies: number;
}): RefusedKeys {
  const limit = new RateLimit(WRONG_KEY_LIMITS);
  const refused = new Counter({
    name: 'operator_keys_refused_total',
    help: 'Requests with a key that is no operator’s, by where it was shown',
    labelNames: ['place'],
    registers: [registry],
  });
  for (const place of PLACES) refused.inc({ place }, 0);
  return {
    note(ctx, place) {
      refused.inc({ place });
      const address = senderAddress(ctx.req, proxies);
      if (!limit.allows(networkOf(address))) {
        throw new ApiError(
          'too_many_requests',
          'Too many wrong keys came from this address. Wait a few seconds before the next.',
        );
      }
      // Not of each beyond the limit: that would fill the disk. The counter has them all.
      ctx.state.log.warn({ event: 'operator.key_refused', place, address }, 'operator key: refused');
    },
  };
}
