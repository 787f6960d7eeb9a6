import Router from '@koa/router';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { ApiError } from '../../contracts/api-error.ts';
import { whyUnopened } from '../../contracts/unreadable.ts';
import { jsonBody } from '../http/input.ts';
import { shownKey } from '../http/operators.ts';
import type { RefusedKeys } from '../http/refused-keys.ts';
import type { RequestState } from '../http/request-log.ts';
import { cors } from './cors.ts';
import { jsonPayloads, payloadsFromJson, payloadsToJson } from './json-payloads.ts';
import type { OperatorOf } from './operator-of.ts';

export interface CodecDeps {
  readonly codec: PayloadCodec;
  readonly operatorOf: OperatorOf;
  readonly refusedKeys: RefusedKeys;
  /** Address of Temporal UI; undefined: browsers are refused. */
  readonly uiUrl: string | undefined;
}

/** Temporal takes 2 MB a payload and 4 MB a request, and base64 makes 4 of 3. */
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * The codec server of Temporal UI and the Temporal CLI: `POST /codec/decode` decrypts what is encrypted, `POST /codec/encode` encrypts what an operator
 * sends to a workflow. Both want `{"payloads": [...]}` and answer the same. Nothing is stored, and nothing of a payload is logged.
 */
export function codecRoutes({ codec, operatorOf, refusedKeys, uiUrl }: CodecDeps): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true, prefix: '/codec' });
  router.use(cors(uiUrl === undefined ? undefined : new URL(uiUrl).origin));
  // The router answers what has a route only; a preflight has its answer from cors().
  router.options(['/decode', '/encode'], () => undefined);

  const serve = (action: keyof PayloadCodec, work: Work) => {
    router.post(`/${action}`, async (ctx) => {
      const operator = await operatorOf(ctx.req);
      if (!operator) {
        if (shownKey(ctx.get('authorization')) !== undefined) refusedKeys.note(ctx, 'codec');
        throw new ApiError(
          'unauthorized',
          'Sign in to the console, or send an operator key: Authorization: Bearer KEY.',
        );
      }
      if (operator.role === 'viewer') {
        throw new ApiError('forbidden', 'A viewer sees payloads encrypted. Use the key of an operator.');
      }
      const payloads = payloadsFromJson(await jsonBody(ctx.req, jsonPayloads, BODY_LIMIT_BYTES));
      ctx.body = payloadsToJson(await work(payloads, ctx.state));
    });
  };
  serve('decode', async (payloads, { log }) => {
    const decrypted = await codec.decode(payloads);
    return payloads.map((payload, i) => {
      const plain = decrypted[i] ?? payload;
      const why = plain === payload ? null : whyUnopened(plain);
      if (why === null) return plain;
      // It is shown encrypted, with its key's id.
      log.warn({ event: 'payload.not_decrypted', why }, 'payload: not decrypted');
      return payload;
    });
  });
  // To send something to a workflow is to change something.
  serve('encode', (payloads) => codec.encode(payloads));
  return router;
}

type Work = (payloads: Payload[], state: RequestState) => Promise<Payload[]>;
