import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Router from '@koa/router';
import type { RequestState } from '../http/request-log.ts';
import { compress, type Encoding, encodingFor } from './compression.ts';

const own = (file: string): string => join(import.meta.dirname, 'assets', file);
const library = createRequire(import.meta.url).resolve;

/**
 * Every file that pages refer to, by the name they use for it. Nothing comes from another host, and nothing is built. Several are sent as
 * one, in their order.
 */
const FILES = {
  'style.css': own('style.css'),
  'connect.css': own('connect.css'),
  'console.css': own('console.css'),
  'console.js': own('console.js'),
  'page.js': own('page.js'),
  'icon.svg': own('icon.svg'),
  // One file: htmx looks at the page as soon as it is there, and an extension that comes after that look would never follow a stream.
  'htmx.js': [library('htmx.org/dist/htmx.min.js'), library('htmx.org/dist/ext/hx-sse.min.js')],
  'uplot.js': library('uplot/dist/uPlot.iife.min.js'),
  'uplot.css': library('uplot/dist/uPlot.min.css'),
} as const;

export type AssetName = keyof typeof FILES;

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

interface Asset {
  readonly url: string;
  readonly etag: string;
  readonly type: string;
  readonly bodies: Readonly<Record<Encoding, Buffer>>;
}

const assets = new Map(Object.entries(FILES).map(([name, paths]) => [name, load(name, [paths].flat())]));
const byUrl = new Map([...assets.values()].map((asset) => [asset.url, asset]));

/** The address of a file: it changes when the file does, so that browsers may keep it for good. */
export function assetUrl(name: AssetName): string {
  const asset = assets.get(name);
  if (!asset) throw new RangeError(`There is no asset ${name}.`);
  return asset.url;
}

/** Serves the files from memory, compressed beforehand. */
export function assetRoutes(): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true });
  router.get('/assets/:file', (ctx) => {
    const asset = byUrl.get(ctx.path);
    if (!asset) return;
    const encoding = encodingFor(ctx);
    ctx.set({
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${asset.etag}-${encoding}"`,
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
    });
    ctx.type = asset.type;
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    if (encoding !== 'identity') ctx.set('content-encoding', encoding);
    ctx.body = asset.bodies[encoding];
  });
  return router;
}

function load(name: string, paths: readonly string[]): Asset {
  const body = Buffer.concat(paths.flatMap((path, i) => [Buffer.from(i === 0 ? '' : '\n'), readFileSync(path)]));
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  const dot = name.lastIndexOf('.');
  const extension = name.slice(dot + 1);
  return {
    url: `/assets/${name.slice(0, dot)}.${hash}.${extension}`,
    etag: hash,
    type: TYPES[extension] ?? 'application/octet-stream',
    bodies: {
      identity: body,
      gzip: compress(body, 'gzip', true),
      br: compress(body, 'br', true),
    },
  };
}
