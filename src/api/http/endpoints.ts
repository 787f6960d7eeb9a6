import type Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import { z } from 'zod';
import { TENANT_ID, type TenantId } from '../../contracts/tenant.ts';
import { checked, jsonBody } from './input.ts';
import { authorize, type Operator, type Operators, shownKey } from './operators.ts';
import type { RefusedKeys } from './refused-keys.ts';
import type { RequestState } from './request-log.ts';

export type ApiContext = ParameterizedContext<RequestState>;

/** What a handler is given: who asks, and what fits the endpoint's schemas. */
export interface Call<B, Q> {
  readonly operator: Operator;
  readonly params: Readonly<Record<string, string>>;
  readonly body: B;
  readonly query: Q;
  readonly ctx: ApiContext;
  readonly tenantId: TenantId;
}

/** One endpoint of the operators' API: what serves it and what documents it are the same thing. */
export interface Endpoint<B extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly needs: Operator['role'];
  readonly body?: B;
  readonly query?: Q;
  /** Status of the answer when all is well. */
  readonly status: 200 | 201 | 202;
  readonly handle: (call: Call<z.output<B>, z.output<Q>>) => Promise<unknown>;
}

/** Keeps the types of one endpoint's body and query, and forgets them for the list. */
export function endpoint<B extends z.ZodType = z.ZodType<unknown>, Q extends z.ZodType = z.ZodType<unknown>>(
  one: Endpoint<B, Q>,
): Endpoint {
  return one as unknown as Endpoint;
}

export const NO_BODY = z.strictObject({});
const tenantIdSchema = z.string().regex(TENANT_ID, 'must be 1 to 40 small letters, digits or dashes');

export interface ServeDeps {
  readonly operators: Operators;
  readonly refusedKeys: RefusedKeys;
}

export function serve(
  router: Router<RequestState>,
  { operators, refusedKeys }: ServeDeps,
  endpoints: readonly Endpoint[],
): void {
  for (const { method, path, needs, body, query, status, handle } of endpoints) {
    router[method](path, async (ctx) => {
      const key = shownKey(ctx.get('authorization'));
      const known = key === undefined ? undefined : operators.byKey(key);
      if (key !== undefined && !known) refusedKeys.note(ctx, 'api');
      const operator = authorize(known, needs);
      const params: Record<string, string> = ctx['params'];
      const call = {
        operator,
        params,
        // A tenant that cannot exist is looked for all the same, and not found: one answer for both.
        tenantId: tenantIdSchema.safeParse(params['tenantId']).data ?? '',
        query: query ? checked(ctx.query, query) : {},
        body: method === 'get' ? {} : await jsonBody(ctx.req, body ?? NO_BODY),
        ctx,
      };
      ctx.status = status;
      const answer = await handle(call);
      if (answer !== undefined) ctx.body = answer;
    });
  }
}
