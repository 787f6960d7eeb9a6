import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../../contracts/api-error.ts';
import type { ApiContext } from '../http/endpoints.ts';
import type { Html } from './html.ts';

/** What a look at the world comes to. `reload`: the page as a whole is another one now; the stream ends. */
export type Look = { readonly show: Html; readonly nextMs: number } | 'reload';

/** Pages that follow what happens, by server-sent events. */
export interface LiveUpdates {
  /**
   * Answers with a stream: looks again and again, and sends what is to be shown whenever it is not what was sent last. A look that throws
   * is repeated; the page keeps what it shows and says that it may be old. `shown`: what the page shows already.
   */
  follow(ctx: ApiContext, look: () => Promise<Look>, shown?: Html): void;
  /** Ends all streams: this process is on its way out. The pages connect again, to another. */
  close(): void;
}

/** A proxy closes what is silent for 30 to 60 s. */
const COMMENT_MS = 15_000;
/** After looks that found nothing new the page is told this often that it is up to date; after 10 s without a word it says since when it is not. */
const BEAT_MS = 3_000;
/** After a look that failed. */
const FAILED_MS = 2_000;
/**
 * Then the page connects again by itself, with the cookie that the browser has by then: pages spread over the processes, and one whose
 * session was signed out of at another process learns it within this time.
 */
const LIFE_MS = 60_000;
/** Each costs a look a second. */
const MOST_STREAMS = 500;

export function createLiveUpdates(): LiveUpdates {
  const open = new Set<AbortController>();

  return {
    follow(ctx, look, shown) {
      if (open.size >= MOST_STREAMS) {
        throw new ApiError('store_unavailable', 'Too many pages are open at the moment. Load this one again later.');
      }
      const { res } = ctx;
      const ending = new AbortController();
      open.add(ending);
      ctx.status = 200;
      ctx.set({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx and its kin would gather events before they pass them on.
        'x-accel-buffering': 'no',
      });
      // From here on the answer is ours: a reader who leaves is no error.
      ctx.respond = false;
      res.write(': here\n\n');
      const beat = setInterval(() => res.write(': still here\n\n'), COMMENT_MS);
      const life = setTimeout(() => ending.abort(), LIFE_MS);
      ending.signal.addEventListener('abort', () => {
        open.delete(ending);
        clearInterval(beat);
        clearTimeout(life);
        res.end();
      });
      res.once('close', () => ending.abort());
      send(res, look, shown?.text, ending.signal)
        .catch((error: unknown) => {
          if (!ending.signal.aborted) ctx.state.log.warn({ event: 'live.ended', err: error }, 'live updates: ended');
        })
        .finally(() => ending.abort());
    },
    close() {
      for (const ending of open) ending.abort();
    },
  };
}

/** page.js knows the events `beat`, `stale`, `fresh` and `reload`; what has no name is put into the page. */
async function send(res: ServerResponse, look: () => Promise<Look>, shown: string | undefined, signal: AbortSignal) {
  let last = shown;
  let stale = false;
  let toldAt = 0;
  while (!signal.aborted) {
    const seen = await look().catch(() => null);
    if (signal.aborted) return;
    if (seen === 'reload') {
      res.write('event: reload\ndata: now\n\n');
      return;
    }
    if ((seen === null) !== stale) {
      stale = seen === null;
      res.write(`event: ${stale ? 'stale' : 'fresh'}\ndata: now\n\n`);
    }
    if (seen && seen.show.text !== last) {
      last = seen.show.text;
      res.write(`${last.replaceAll(/^/gm, 'data: ')}\n\n`);
      toldAt = performance.now();
    } else if (seen && performance.now() - toldAt > BEAT_MS) {
      res.write('event: beat\ndata: now\n\n');
      toldAt = performance.now();
    }
    await delay(seen?.nextMs ?? FAILED_MS, undefined, { signal });
  }
}
