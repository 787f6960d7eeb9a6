import { Agent, request } from 'undici';
import type { Webhook } from '../store/webhooks.ts';

/** What came back: a status, or why there was none. */
type PostResult = { status: number | null; error?: string; tookMs: number };

/** POSTs one event to a webhook's URL, as gladly.md 1.3 describes a delivery. Never throws. */
export type Poster = {
  post(webhook: Pick<Webhook, 'url' | 'credentials' | 'headers'>, body: string, timeoutMs: number): Promise<PostResult>;
  close(): Promise<void>;
};

export function createPoster(): Poster {
  const agent = new Agent({ pipelining: 1, keepAliveTimeout: 30_000 });

  return {
    post: async (webhook, body, timeoutMs) => {
      const started = performance.now();
      const tookMs = (): number => Math.round(performance.now() - started);
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      try {
        // Redirects are not followed: anything but 2XX is a failure.
        const answer = await request(webhook.url, {
          method: 'POST',
          headers: headersOf(webhook),
          body,
          dispatcher: agent,
          signal: deadline.signal,
        });
        await answer.body.dump({ limit: 131_072 });
        return { status: answer.statusCode, tookMs: tookMs() };
      } catch (error) {
        if (deadline.signal.aborted) return { status: null, error: 'TIMEOUT', tookMs: tookMs() };
        return { status: null, error: errorCode(error), tookMs: tookMs() };
      } finally {
        clearTimeout(timer);
      }
    },
    // Cuts what is in flight.
    close: () => agent.destroy(),
  };
}

/**
 * Static headers and Basic credentials may be combined. No other header is documented (gladly.md 1.3). Names are put in
 * lower case, so that a configured one replaces ours instead of being sent beside it.
 */
function headersOf({ credentials, headers }: Pick<Webhook, 'credentials' | 'headers'>): Record<string, string> {
  const sent: Record<string, string> = { 'content-type': 'application/json' };
  if (credentials !== undefined) {
    const pair = `${credentials.username}:${credentials.password}`;
    sent['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
  return sent;
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
