import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elsewhereFaults } from '../../support/onboarding/faults/elsewhere.ts';
import { lookup, reachingFaults } from '../../support/onboarding/faults/reaching.ts';
import type { FaultRow } from '../../support/onboarding/faults/row.ts';
import { userFaults } from '../../support/onboarding/faults/user.ts';
import { webhookFaults } from '../../support/onboarding/faults/webhook.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { inTurn } from '../../support/onboarding/in-turn.ts';
import { findSecrets, tokensOf } from '../../support/onboarding/secrets.ts';
import {
  createTenant,
  type ShownStatus,
  type ShownStep,
  stepIn,
  type TestTenant,
} from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

/** Two cores: more at a time take no less. */
const AT_A_TIME = 8;
const rows: readonly FaultRow[] = [...reachingFaults, ...elsewhereFaults, ...userFaults, ...webhookFaults];

/** What a row came to: the step as the customer saw it, and its state after the fault was mended. */
interface Outcome {
  readonly step: ShownStep;
  readonly texts: { readonly host: string; readonly url: string };
  readonly after: ShownStep | null;
}

describe('each fault is named, with its remedy', () => {
  let world: World;
  let stages: readonly Stage[] = [];
  let outcomes: readonly Promise<Outcome>[] = [];

  beforeAll(async () => {
    stages = await Promise.all(rows.map(prepare));
    world = await startWorld({ gladlyHosts: stages.map((it) => it.entry), lookup });
    outcomes = inTurn(
      AT_A_TIME,
      stages.map((stage) => () => run(world, stage)),
    );
  });
  afterAll(async () => {
    await Promise.allSettled(outcomes);
    await world?.close();
    await Promise.all(stages.map((it) => it.close()));
  });

  it.each(rows.map((row, n) => [row.fault, row, n] as const))(
    '%s',
    async (_, row, n) => {
      const outcome = await outcomes[n];
      if (!outcome) throw new Error('It was not run.');
      const { step, texts, after } = outcome;
      const shown = row.state === 'notice' ? step.notices.filter((it) => it.code === row.code).at(-1) : step.problem;
      expect(
        shown && {
          ...shown,
          sentence: shown.sentence.replace(TIME, '{at}').replace(/\d+ seconds before/, '{seconds} seconds before'),
        },
      ).toMatchObject({
        code: row.code,
        sentence: fill(row.sentence, texts),
        remedy: fill(row.remedy, texts),
      });
      expect(step.furtherProblems.map((it) => it.code)).toEqual(row.further ?? []);
      if (row.notices) expect(step.notices.map((it) => it.code)).toEqual(row.notices);
      if (row.state !== 'notice') expect(step.stuckSince).not.toBeNull();
      if (row.nextTryInMs !== undefined) {
        const inMs = Date.parse(step.nextTryAt ?? '') - Date.parse(step.since);
        expect(inMs).toBeGreaterThanOrEqual(row.nextTryInMs);
      }
      if (row.mend) expect(after).toMatchObject({ state: 'done', problem: null, stuckSince: null });
    },
    90_000,
  );

  it('and no token is in a log, a history or the database', async () => {
    await Promise.allSettled(outcomes);
    const organizations = stages.flatMap(({ gladly }) => (gladly ? [gladly] : []));
    expect(await findSecrets(world, tokensOf(organizations))).toEqual([]);
  }, 90_000);
});

/** Gladly's own way to write a time. */
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/;

/** Where a row is played: what answers at its domain. */
interface Stage {
  readonly row: FaultRow;
  readonly entry: string;
  readonly host: string;
  readonly gladly: TestGladly | null;
  /** Told of the tenant as soon as there is one. */
  readonly enter: (tenant: TestTenant) => void;
  close(): Promise<void>;
}

async function prepare(row: FaultRow): Promise<Stage> {
  let tenant: TestTenant | null = null;
  const enter = (it: TestTenant): void => {
    tenant = it;
  };
  if (row.place) {
    const theTenant = (): TestTenant => {
      if (!tenant) throw new Error('There is no tenant yet.');
      return tenant;
    };
    return { row, gladly: null, enter, ...(await row.place(theTenant)) };
  }
  const gladly = await startGladly();
  return { row, gladly, entry: gladly.host, host: gladly.host, enter, close: gladly.close };
}

async function run(world: World, { row, gladly, host, enter }: Stage): Promise<Outcome> {
  const tenant = await createTenant(world, { webhookSetup: row.setup ?? 'by_hand' });
  enter(tenant);
  if (gladly) await row.arrange?.({ gladly, tenant });
  const domain = row.domain ?? host;
  await tenant.give({
    domain,
    email: row.email ?? gladly?.email ?? 'integration@customer.example',
    apiToken: row.apiToken ?? gladly?.apiToken ?? 'a-token',
  });
  const arrived = (status: ShownStatus): boolean => {
    const { state, problem } = stepIn(status, row.step);
    // A step that is checked again for a moment still shows what it found before.
    if (row.state === 'notice') return state === 'done';
    return row.state === 'needs_you' ? state === 'needs_you' : state === 'retrying' && problem?.code === row.code;
  };
  const step = stepIn(await tenant.until(arrived, 60_000), row.step);
  const texts = { host: domain, url: tenant.webhookUrl };
  if (!row.mend || !gladly) return { step, texts, after: null };
  if (row.mend !== 'time') {
    await row.mend({ gladly, tenant });
    await tenant.recheck();
  }
  const mended = await tenant.until((it) => stepIn(it, row.step).state === 'done', 60_000);
  return { step, texts, after: stepIn(mended, row.step) };
}

const fill = (text: string, { host, url }: Outcome['texts']): string =>
  text.replaceAll('{host}', host).replaceAll('{url}', url);
