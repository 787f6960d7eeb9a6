import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Db, openDb } from '../../src/store/db.ts';
import { freePort } from '../../test/support/free-port.ts';
import { figure } from '../support/figures.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { grown, serverMetrics, sumBy } from '../support/server-metrics.ts';
import { World } from '../support/world.ts';

/** Looks at each page. */
const LOOKS = 20;

/** Every tenth tenant needs somebody, as its workflows would have written it; a page of the paused ones asks SQS for 50 depths. */
const SEED = `
  INSERT INTO tenants (tenant_id, name, state, retention_days, queue_url, dead_letter_queue_url)
  SELECT 'seed-' || n, 'Seeded tenant ' || n, 'connected', 4, d.queue_url, d.dead_letter_queue_url
  FROM generate_series(1, $1::integer) n, (SELECT * FROM tenants WHERE tenant_id = 'demo') d;
  `;
const SEED_REST = [
  `INSERT INTO tenant_counters (tenant_id, waiting, extracted) SELECT tenant_id, 3, 1000 FROM tenants WHERE tenant_id LIKE 'seed-%'`,
  `INSERT INTO drains (tenant_id, queue_empty_at) SELECT tenant_id, now() - interval '1 day' FROM tenants WHERE tenant_id LIKE 'seed-%'`,
  `INSERT INTO sightings (tenant_id, type, key_id, first_at, last_at, count)
   SELECT tenant_id, type, 'key', now() - interval '9 days', now(), 100
   FROM tenants, unnest(ARRAY['PING', 'CONVERSATION/CREATED', 'CONVERSATION/CLOSED']) type WHERE tenant_id LIKE 'seed-%'`,
  `INSERT INTO measurements (tenant_id, minute, accepted, extracted, freshness)
   SELECT tenant_id, date_trunc('minute', now()) - m * interval '1 minute', 3, 3, '{1,1,1}'
   FROM tenants, generate_series(0, 3) m WHERE tenant_id LIKE 'seed-%'`,
  `INSERT INTO tenant_states (tenant_id, need, loses_at, extraction, extraction_run, extraction_seq, extraction_at)
   SELECT tenant_id, CASE WHEN paused THEN 2 ELSE 4 END, CASE WHEN paused THEN now() + interval '3 days' END,
     jsonb_build_object('phase', CASE WHEN paused THEN 'paused' ELSE 'running' END, 'since', '2026-01-01T00:00:00.000Z',
       'pause', CASE WHEN paused THEN '{"by":"ann","reason":"a long reason that somebody typed","at":"2026-01-01T00:00:00.000Z"}'::jsonb END,
       'disconnect', null, 'problem', null, 'warning', null, 'nextTryAt', null, 'unknownSignals', 0, 'lastUnknownSignal', null),
     'run', 1, now()
   FROM (SELECT tenant_id, right(tenant_id, 1) = '0' AS paused FROM tenants WHERE tenant_id LIKE 'seed-%') seeded`,
];

const PAGES = [
  ['/console', 'the first page'],
  ['/console?page=200', 'the last but one'],
  ['/console?show=paused', 'the paused ones'],
  ['/console?search=tenant+99', 'a search'],
] as const;

/** A running world, with an operator who is signed in. */
class Visitor {
  readonly #world: World;
  readonly cookie: string;

  private constructor(world: World, cookie: string) {
    this.#world = world;
    this.cookie = cookie;
  }

  static async of(world: World): Promise<Visitor> {
    const { api, operatorKey } = world.places();
    const answer = await fetch(`${api}/console/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: api },
      body: new URLSearchParams({ key: operatorKey }),
      redirect: 'manual',
    });
    return new Visitor(world, (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '');
  }

  get(path: string, signal?: AbortSignal): Promise<Response> {
    const { api, operatorKey } = this.#world.places();
    const headers = path.startsWith('/v1') ? { authorization: `Bearer ${operatorKey}` } : { cookie: this.cookie };
    return fetch(api + path, { headers, ...(signal ? { signal } : {}) });
  }

  /** Milliseconds until the whole page is there. */
  async took(path: string): Promise<number> {
    const began = performance.now();
    const answer = await this.get(path);
    await answer.text();
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return performance.now() - began;
  }
}

export interface ListOptions {
  readonly name: string;
  readonly tenants: number;
  /** A real Postgres instead of PGlite. */
  readonly databaseUrl?: string;
}

/** The slowest of the pages' medians, over LOOKS looks each. */
export async function measureList({ name, tenants, databaseUrl }: ListOptions, say: Say): Promise<Finding> {
  const world = await World.start(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl });
  const db: Db = openDb(world.places().databaseUrl, { max: 1, name: 'bench', statementTimeoutMs: 300_000 });
  try {
    await db.query(SEED.trim().replace(/;$/, ''), [tenants]);
    for (const statement of SEED_REST) await db.query(statement);
    if (databaseUrl !== undefined) await db.query('ANALYZE');
    const visitor = await Visitor.of(world);
    const medians: number[] = [];
    const words: string[] = [];
    for (const [path, what] of [...PAGES, ['/v1/tenants?limit=100', 'GET /v1/tenants?limit=100'] as const]) {
      const times: number[] = [];
      for (let look = 0; look < LOOKS; look += 1) times.push(await visitor.took(path));
      medians.push(quantile(times, 0.5));
      words.push(`${what} ${Math.round(quantile(times, 0.5))} ms (slowest ${Math.round(Math.max(...times))})`);
      say(`${name}: ${words.at(-1)}`);
    }
    return {
      figure: figure(name, Math.max(...medians), 'ms', 'lower', 300),
      how: `the slowest page of a list of ${tenants} tenants, on ${databaseUrl === undefined ? 'PGlite' : 'Postgres'}, half of ${LOOKS} looks: ${words.join(', ')}`,
    };
  } finally {
    await db.close();
    await world.end();
  }
}

/** What a list, two tenant pages and a connect page that are open for so long ask of Temporal. */
export async function measureQueries(ms: number, say: Say): Promise<Finding> {
  const port = await freePort();
  // The sweep lists workflows, whether pages are open or not: once a day here.
  const world = await World.start({ TEMPORAL_METRICS_PORT: String(port), SWEEP_MS: '86400000' });
  try {
    const visitor = await Visitor.of(world);
    const status = z.object({ connectUrl: z.string() }).parse(await (await visitor.get('/v1/tenants/demo')).json());
    const tenant = '/console/tenants/demo';
    const pages = [
      '/console/live',
      `${tenant}/live`,
      `${tenant}/steps/live`,
      `${new URL(status.connectUrl).pathname}/live`,
    ];
    const before = await requestsTo(port);
    const closing = new AbortController();
    let bytes = 0;
    const open = pages.map(async (path) => {
      const answer = await visitor.get(path, closing.signal);
      for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length;
    });
    await sleep(ms);
    const after = await requestsTo(port);
    closing.abort();
    await Promise.allSettled(open);
    const asked = grown(before, after);
    say(
      `pages_temporal_queries: ${bytes} bytes of updates; Temporal was asked ${[...asked].map(([name, n]) => `${name} ${n}`).join(', ')}`,
    );
    const [queries = 0, lists = 0] = [asked.get('QueryWorkflow'), asked.get('ListWorkflowExecutions')];
    return {
      figure: figure('pages_temporal_queries', queries + lists, 'queries', 'lower', 0),
      how: `in ${ms / 1_000} s with a list, two pages of a tenant and a connect page open (${bytes} bytes of updates), by the server's own count of QueryWorkflow and ListWorkflowExecutions`,
    };
  } finally {
    await world.end();
  }
}

/** How often each operation of the server's front end was asked for. */
async function requestsTo(port: number): Promise<ReadonlyMap<string, number>> {
  const found = sumBy(await serverMetrics(port), 'service_requests', 'operation', { service_name: 'frontend' });
  if (found.size === 0) throw new Error('the server tells no service_requests');
  return found;
}
