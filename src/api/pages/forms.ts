import { isIP } from 'node:net';
import type { Middleware } from 'koa';
import type { z } from 'zod';
import { ApiError, type FieldError } from '../../contracts/api-error.ts';
import type { ApiContext } from '../http/endpoints.ts';
import { textBody } from '../http/input.ts';
import type { RequestState } from '../http/request-log.ts';

/** A form of ours has a few short fields. */
const FORM_LIMIT_BYTES = 32 * 1024;

/**
 * Refuses what another site makes a browser send. Every browser says where a POST comes from, in Sec-Fetch-Site (over TLS and on this
 * machine) and in Origin, and no page can change either. This needs no token in each form: none to expire while a page lies open, or to
 * differ between two tabs. Cookies are SameSite=Strict besides. Throws ApiError: forbidden.
 */
export function fromOurOwnPage(ctx: ApiContext): void {
  const site = ctx.get('sec-fetch-site');
  const origin = ctx.get('origin');
  const isOwn = site === '' ? origin !== '' && URL.parse(origin)?.host === ctx.host : site === 'same-origin';
  if (isOwn) return;
  throw new ApiError(
    'forbidden',
    'This was sent from another page than ours, so nothing was changed. Open the page again and repeat it there.',
  );
}

/**
 * Whether a page of this origin can be one of ours: of PUBLIC_URL's host, or of a host that no stranger can give a name to (an address, this machine,
 * a name without a dot). A stranger's name may lead to us (DNS rebinding), and to the browser its page and our answers are then of one site.
 */
export function canBeOurs(origin: string, publicUrl: string): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  const { hostname } = url;
  const isUnnamed =
    isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0 || !hostname.includes('.') || /\.localhost$/.test(hostname);
  return isUnnamed || url.host === URL.parse(publicUrl)?.host;
}

/** Refuses what was sent from a page whose host is none of ours. Throws ApiError: forbidden. */
export function fromOurHost(publicUrl: string): Middleware<RequestState> {
  return async (ctx, next) => {
    const origin = ctx.get('origin');
    if (ctx.method === 'POST' && origin !== '' && origin !== 'null' && !canBeOurs(origin, publicUrl)) {
      throw new ApiError(
        'forbidden',
        'This was sent from a page whose address is not the one that PUBLIC_URL says, so nothing was changed. Open the page at that address.',
      );
    }
    await next();
  };
}

/** What a form held: its texts, trimmed, or what is wrong with each field. */
export type FormResult<T> =
  | { readonly ok: true; readonly values: T }
  | { readonly ok: false; readonly errors: readonly FieldError[]; readonly given: Readonly<Record<string, string>> };

/** The fields of a POST from our own page, as texts. Of a field that comes twice the last counts. Throws ApiError. */
export async function formFields(ctx: ApiContext): Promise<Readonly<Record<string, string>>> {
  fromOurOwnPage(ctx);
  if (ctx.is('application/x-www-form-urlencoded') === false) {
    throw new ApiError('unsupported_media_type', 'Send this with the form on the page.');
  }
  const fields = new URLSearchParams(await textBody(ctx.req, FORM_LIMIT_BYTES));
  return Object.fromEntries([...fields].map(([name, value]) => [name, value.trim()]));
}

/** The fields of a POST from our own page, as `schema` has them. Throws ApiError for errors that cannot be corrected in the form. */
export async function readForm<S extends z.ZodType>(ctx: ApiContext, schema: S): Promise<FormResult<z.output<S>>> {
  const given = await formFields(ctx);
  const read = schema.safeParse(given);
  if (read.success) return { ok: true, values: read.data };
  const errors = read.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  return { ok: false, errors, given };
}

/** After a POST: the browser gets the page with a GET, so that loading it anew does not send the form again. */
export function seeOther(ctx: ApiContext, to: string): void {
  ctx.status = 303;
  ctx.set('location', to);
  ctx.body = '';
}

/** What a hidden field holds; null when it is no JSON. */
export function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
