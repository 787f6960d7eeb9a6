import { describe, expect, it } from 'vitest';
import { type Found, needsPerson, type Renewal, reportOf } from '../../../src/roles/keys/report.ts';
import { textOf } from '../../../src/roles/keys/text.ts';

const run = (workflowId: string, ...keyIds: string[]) => ({
  workflowId,
  runId: 'r',
  begunUnder: keyIds[0] ?? null,
  keyIds: new Set(keyIds),
});
const row = (tenantId: string, keyId: string | null, why: string | null = null) => ({
  tenantId,
  version: 1,
  keyId,
  why,
});
const found = (of: Partial<Found>): Found => ({
  configured: ['k2', 'k1'],
  runs: [],
  rows: [],
  schedules: new Map(),
  closed: { count: 12, keptDays: 3 },
  ...of,
});
const renewal = (of: Partial<Renewal> = {}): Renewal => ({
  first: 'k2',
  asked: 2,
  waiting: [],
  underOther: [],
  resealed: 1,
  ...of,
});

describe('the report on keys', () => {
  it('counts by key what needs it, a tenant once, and names who needs another than the first', () => {
    const { keys } = reportOf(
      found({
        runs: [run('onboarding/acme', 'k2'), run('extraction/acme', 'k2', 'k1'), run('sweep', 'k1'), run('plain')],
        rows: [row('acme', 'k1'), row('zeta', 'k0', 'missing'), row('yeti', null, 'damaged')],
        schedules: new Map([['sweep', new Set(['k1'])]]),
      }),
    );
    expect(keys).toEqual([
      { id: 'k2', is: 'first', workflows: 2, rows: 0, schedules: 0, tenants: 1, mayGo: false, neededBy: [] },
      {
        ...{ id: 'k1', is: 'older', workflows: 2, rows: 1, schedules: 1, tenants: 1, mayGo: false },
        neededBy: ['credentials 1 of acme', 'extraction/acme', 'sweep', 'the Schedule sweep'],
      },
      {
        ...{ id: '(no id of a key)', is: 'missing', workflows: 0, rows: 1, schedules: 0, tenants: 1, mayGo: false },
        neededBy: ['credentials 1 of yeti'],
      },
      {
        ...{ id: 'k0', is: 'missing', workflows: 0, rows: 1, schedules: 0, tenants: 1, mayGo: false },
        neededBy: ['credentials 1 of zeta'],
      },
    ]);
  });

  it('says that a key may go when nothing needs it, and what ends with it', () => {
    const report = reportOf(found({ runs: [run('extraction/acme', 'k2')], rows: [row('acme', 'k2')] }));
    expect(needsPerson(report, null)).toBe(false);
    expect(textOf(report, renewal())).toBe(`key  is     workflows  rows  schedules  tenants
k2   first          1     1          0        1
k1   older          0     0          0        0

k1: nothing needs it. It may go from SECRET_KEYS.

Workflows that went over to k2: 2 of 2. Rows that did: 1.

Before a key goes: connect links that were signed with it end (each lives 30 days at most), and sessions of the console (12 hours).
Temporal UI cannot show what it sealed of the 12 histories that have ended, and are kept for 3 days. Keep a copy of it for as long as backups of Postgres.
`);
  });

  it('needs a person for what no renewal mends, and for what one has not mended', () => {
    const older = reportOf(found({ runs: [run('extraction/acme', 'k1')] }));
    expect(needsPerson(older, null)).toBe(false);
    expect(needsPerson(older, renewal({ waiting: ['extraction/acme'] }))).toBe(true);
    expect(textOf(older, renewal({ waiting: ['extraction/acme'] }))).toContain('Not yet: extraction/acme.');
    expect(textOf(older, renewal({ underOther: ['extraction/acme'], resealed: null }))).toMatch(
      /Under another key than k2: extraction\/acme.*No row was touched/s,
    );
    const missing = reportOf(found({ runs: Array.from({ length: 12 }, (_, n) => run(`extraction/t${n}`, 'k0')) }));
    expect(needsPerson(missing, null)).toBe(true);
    expect(textOf(missing, null)).toContain('extraction/t7 and 2 more cannot be opened. Put it back');
    const damaged = reportOf(
      found({ rows: [row('acme', 'k2', 'The credentials of tenant acme cannot be decrypted')] }),
    );
    expect(needsPerson(damaged, null)).toBe(true);
    expect(textOf(damaged, null)).toContain('The credentials of tenant acme cannot be decrypted. The customer');
  });
});
