import { problemRemedy, problemSentence } from '../../contracts/problems.ts';
import { parseGladlyHost } from '../../gladly/host.ts';
import { type Html, html } from '../pages/html.ts';

/** What we understood of a domain, while it is being typed. Gladly is not asked yet. */
export function domainHint(typed: string, extraHosts: readonly string[]): Html {
  const says = (look: string, words: Html | string): Html =>
    html`<p class="says${look}" id="domain-says" aria-live="polite">${words}</p>`;
  if (typed.trim() === '') return says('', '');
  const parsed = parseGladlyHost(typed, extraHosts);
  if (parsed.ok) return says(' good', html`We understood: your Gladly is <b>${parsed.host.name}</b>`);
  return says(' bad', `${problemSentence(parsed.problem)} ${problemRemedy(parsed.problem)}`);
}
