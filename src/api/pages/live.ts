import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../../contracts/api-error.ts';
import type { ApiContext } from '../http/endpoints.ts';
import type { Html } from './html.ts';

/** What a look at the world comes to. `reload`: the page as a whole is another one now. After it, and after what `ends`, the stream ends. */
export type Look = { readonly show: Html; readonly nextMs: number } | LastLook;
type LastLook = { readonly show: Html; readonly ends: true } | 'reload';

/** Who follows: an operator, by name, or who has a link, by tenant. Streams are counted by it. */
export interface Follower {
  readonly kind: 'operator' | 'link';
  readonly id: string;
}

/** Pages that follow what happens, by server-sent events. */
export interface LiveUpdates {
  /**
   * Answers with a stream: looks again and again, and sends what is to be shown whenever it is not what was sent last. A look that throws
   * is repeated; the page keeps what it shows and says that it may be old. `shown`: what the page shows already. Throws ApiError
   * (too_many_requests) when there is no place for another.
   */
  follow(ctx: ApiContext, follower: Follower, look: () => Promise<Look>, shown?: Html): void;
  /** Answers with a stream that says this and ends. It takes no place, so it is for everybody. */
  tell(ctx: ApiContext, look: LastLook): void;
  /** Ends all streams: this process is on its way out. The pages connect again, to another. */
  close(): void;
}

/** A proxy closes what is silent for 30 to 60 s. */
const COMMENT_MS = 15_000;
/** After looks that found nothing new the page is told this often that it is up to date; after 10 s without a word it says since when it is not. */
const BEAT_MS = 3_000;
/** After a look that failed. */
const FAILED_MS = 2_000;
/** Then the page connects again by itself: pages spread over the processes. */
const LIFE_MS = 60_000;
/** Each costs a look a second. Neither kind takes a place from the other; an operator's key may be shared by a team. */
const MOST_STREAMS = { operator: { all: 200, ofOne: 100 }, link: { all: 300, ofOne: 20 } } as const;

export function createLiveUpdates(): LiveUpdates {
  const open = new Map<AbortController, Follower>();
  const followed = new WeakSet<Socket>();

  /** Whether the answer is to have a body. */
  const begin = (ctx: ApiContext): boolean => {
    ctx.status = 200;
    ctx.set({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx and its kin would gather events before they pass them on.
      'x-accel-buffering': 'no',
    });
    return ctx.method !== 'HEAD';
  };

  const hasPlace = ({ kind, id }: Follower): boolean => {
    const others = [...open.values()].filter((it) => it.kind === kind);
    const { all, ofOne } = MOST_STREAMS[kind];
    return others.length < all && others.filter((it) => it.id === id).length < ofOne;
  };

  return {
    follow(ctx, follower, look, shown) {
      const { res, req } = ctx;
      const { socket } = req;
      // A second one on a connection would wait for the end of the first, and nobody would know whether it is still wanted.
      if (ctx.method !== 'HEAD' && (!hasPlace(follower) || followed.has(socket))) {
        throw new ApiError('too_many_requests', 'Too many pages are open at the moment. Load this one again later.');
      }
      if (!begin(ctx)) return;
      const ending = new AbortController();
      const end = (): void => ending.abort();
      open.set(ending, follower);
      followed.add(socket);
      // From here on the answer is ours: a reader who leaves is no error.
      ctx.respond = false;
      res.write(': here\n\n');
      const beat = setInterval(() => res.write(': still here\n\n'), COMMENT_MS);
      const life = setTimeout(end, LIFE_MS);
      ending.signal.addEventListener('abort', () => {
        open.delete(ending);
        followed.delete(socket);
        socket.off('close', end);
        clearInterval(beat);
        clearTimeout(life);
        res.end();
      });
      // Of the connection: an answer that waits behind another on it is not told when it closes.
      socket.once('close', end);
      if (socket.destroyed) end();
      send(res, look, shown?.text, ending.signal)
        .catch((error: unknown) => {
          if (!ending.signal.aborted) ctx.state.log.warn({ event: 'live.ended', err: error }, 'live updates: ended');
        })
        .finally(end);
    },
    tell(ctx, look) {
      if (begin(ctx)) ctx.body = `: here\n\n${lastWords(look)}`;
    },
    close() {
      for (const ending of open.keys()) ending.abort();
    },
  };
}

const shownText = ({ text }: Html): string => `${text.replaceAll(/^/gm, 'data: ')}\n\n`;

/** The page closes a stream that `ended`, and looks every 10 s whether there is one again. */
const lastWords = (look: LastLook): string =>
  look === 'reload' ? 'event: reload\ndata: now\n\n' : `${shownText(look.show)}event: ended\ndata: now\n\n`;

/** page.js knows the events `beat`, `stale`, `fresh` and `reload`, htmx `ended`; what has no name is put into the page. */
async function send(res: ServerResponse, look: () => Promise<Look>, shown: string | undefined, signal: AbortSignal) {
  let last = shown;
  let stale = false;
  let toldAt = 0;
  while (!signal.aborted) {
    const seen = await look().catch(() => null);
    if (signal.aborted) return;
    if (seen !== null && (seen === 'reload' || 'ends' in seen)) {
      res.write(lastWords(seen));
      return;
    }
    if ((seen === null) !== stale) {
      stale = seen === null;
      res.write(`event: ${stale ? 'stale' : 'fresh'}\ndata: now\n\n`);
    }
    if (seen && seen.show.text !== last) {
      last = seen.show.text;
      res.write(shownText(seen.show));
      toldAt = performance.now();
    } else if (seen && performance.now() - toldAt > BEAT_MS) {
      res.write('event: beat\ndata: now\n\n');
      toldAt = performance.now();
    }
    await delay(seen?.nextMs ?? FAILED_MS, undefined, { signal });
  }
}
