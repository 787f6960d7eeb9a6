import { isNotice, problemMendedBy, problemRemedy, problemSentence } from '../../contracts/problems.ts';
import type { ListPage, ListQuery, TenantRow } from '../../tenants/read-model.ts';
import { GROUPS, type Group } from '../../tenants/standing.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { count, duration } from './amounts.ts';
import { ago, badge, following, livenessNote, quotaInWords } from './pieces.ts';
import { GROUP_NAMES } from './words.ts';

/** The page of all tenants. `query` is what the address says. */
export function listMain(page: ListPage, query: ListQuery): Html {
  return html`<h1>Tenants</h1>
${finder(query)}
<div id="found"><div id="tenants">${tenantList(page, query)}</div>
${following(address('/console/live', query), '#tenants')}</div>`;
}

const noTenants = html`<div class="card"><p class="lead">No tenant is connected yet.</p><p><a class="button" href="/console/new">Connect a tenant</a></p></div>`;

/** Finds by typing; without JavaScript, with Enter. */
function finder({ search, group }: ListQuery): Html {
  return html`<form class="finder" method="get" action="/console" role="search" hx-get="/console" hx-trigger="input changed delay:200ms from:#search, submit" hx-target="#found" hx-select="#found" hx-swap="outerMorph">
<label for="search" class="visually-hidden">Find a tenant by its name or id</label>
<input id="search" type="search" name="search" value="${search}" placeholder="Find a tenant by its name or id" autocomplete="off" maxlength="100">
${group !== null && html`<input type="hidden" name="show" value="${group}">`}
<button class="plain">Find</button>
</form>`;
}

/** The part that follows what happens. */
export function tenantList(page: ListPage, query: ListQuery): Html {
  if (page.found === 0 && query.search === '' && query.group === null) return noTenants;
  return html`${livenessNote(page.liveness)}
${groupLinks(page, query)}
${page.rows.length === 0 ? html`<p class="card">${query.search === '' ? 'There is none here.' : html`Nothing is found for “${query.search}”.`}</p>` : table(page)}
${pager(page, query)}`;
}

function groupLinks({ groups }: ListPage, query: ListQuery): Html {
  const link = (group: Group | null, name: string, number: number): Html => {
    const here = query.group === group;
    const to = address('/console', { ...query, group, page: 1 });
    return html`<li><a id="group-${group ?? 'all'}" class="${group ?? 'all'}${number === 0 ? ' none' : ''}" href="${to}"${here && html` aria-current="page"`}><b>${count(number)}</b> ${name}</a></li>`;
  };
  const all = GROUPS.reduce((sum, group) => sum + groups[group], 0);
  return html`<nav aria-label="By state"><ul class="groups">${link(null, 'All', all)}${GROUPS.map((group) => link(group, GROUP_NAMES[group], groups[group]))}</ul></nav>`;
}

const COLUMNS = ['Tenant', 'State', 'Waiting', 'First event lost', 'Last event', 'Freshness', 'Quota in use'] as const;

function table({ rows }: ListPage): Html {
  return html`<table class="tenants" role="table">
<caption class="visually-hidden">Tenants, those that need a person first</caption>
<thead role="rowgroup"><tr role="row">${COLUMNS.map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(row)}</tbody>
</table>`;
}

function row(one: TenantRow): Html {
  const { tenant, standing, waiting, rejected, firstLossAt, lastEventAt, recent } = one;
  const cells: readonly Piece[] = [
    html`${count(waiting)}${one.inQueue === null && html` <span class="quiet">and what is in the queue, which does not answer</span>`}${waiting > 0 && one.oldestWaitingAt && html` <span class="quiet">oldest ${ago(one.oldestWaitingAt)}</span>`}${rejected > 0 && html` <a class="also" href="/console/tenants/${tenant.tenantId}/rejected">${count(rejected)} rejected</a>`}`,
    firstLossAt === null
      ? html`<span class="quiet">nothing at risk</span>`
      : html`<b class="${lossTone(one)}">${ago(firstLossAt)}</b>`,
    ago(lastEventAt),
    recent?.freshnessP50Ms == null ? html`<span class="quiet">–</span>` : duration(recent.freshnessP50Ms),
    quotaInWords(one.quota),
  ];
  return html`<tr role="row" id="row-${tenant.tenantId}" class="${standing.tone}">
<th role="rowheader" scope="row"><a href="/console/tenants/${tenant.tenantId}">${tenant.name}</a> <span class="id">${tenant.tenantId}</span></th>
<td role="cell" data-name="State">${badge(standing.label, standing.tone)} ${why(one)}</td>
${cells.map((cell, i) => html`<td role="cell" data-name="${COLUMNS[i + 2] ?? ''}">${cell}</td>`)}
</tr>`;
}

function why({ standing: { problem }, pause }: TenantRow): Piece {
  return html`${pause && html`<p class="why">by <b>${pause.by}</b>, ${ago(pause.at)}: ${pause.reason}</p>`}${problem && !isNotice(problem) && html`<p class="why">${problemSentence(problem)}</p>${problemMendedBy(problem) === 'operator' && html`<p class="why quiet">${problemRemedy(problem)}</p>`}`}`;
}

const SOON_MS = 24 * 3_600_000;

function lossTone({ firstLossAt, tenant }: TenantRow): string {
  const soon = firstLossAt !== null && firstLossAt.getTime() - Date.now() < SOON_MS;
  return soon || tenant.retentionAlert >= 80 ? 'bad' : tenant.retentionAlert >= 50 ? 'warn' : '';
}

function pager({ page, pages, found }: ListPage, query: ListQuery): Piece {
  if (pages === 1) return null;
  const to = (number: number, name: string, rel: string): Html =>
    html`<a class="button small plain" rel="${rel}" href="${address('/console', { ...query, page: number })}">${name}</a>`;
  return html`<nav class="pager" aria-label="Pages">${page > 1 && to(page - 1, 'Before', 'prev')}<span>Page ${page} of ${pages}, ${count(found)} tenants</span>${page < pages && to(page + 1, 'Next', 'next')}</nav>`;
}

/** Where this list is; what is not asked for is left out of the address. */
export function address(path: string, { search, group, page }: ListQuery): string {
  const query = new URLSearchParams({
    ...(search === '' ? {} : { search }),
    ...(group === null ? {} : { show: group }),
    ...(page === 1 ? {} : { page: String(page) }),
  }).toString();
  return query === '' ? path : `${path}?${query}`;
}
