import type { NotedQuota } from '../../store/quota-use.ts';
import { html, type Piece } from '../pages/html.ts';

/** A drain notes it every 2 s (activities/drain/limits.ts): an older one says that no drain is at work. */
const CURRENT_MS = 10_000;

/** Requests a second as Gladly counts them for the whole organization: ours, others', and the limit. */
export function quotaInWords(quota: NotedQuota | null, now: number = Date.now()): Piece {
  if (quota === null || now - quota.at.getTime() > CURRENT_MS) return html`<span class="quiet">none</span>`;
  const { used, limit, rivals } = quota;
  const others = Math.round(rivals);
  return html`${used} of ${limit} a second${others > 0 && html` <span class="quiet">others ${others} or more</span>`}`;
}
