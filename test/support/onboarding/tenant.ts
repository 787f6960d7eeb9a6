import { setTimeout as delay } from 'node:timers/promises';
import type { StepName } from '../../../src/contracts/onboarding.ts';
import type { TestGladly } from './gladly.ts';
import type { World } from './world.ts';

/** A problem as the API shows it. */
export interface Shown {
  readonly code: string;
  readonly sentence: string;
  readonly remedy: string;
}

export interface ShownStep {
  readonly name: StepName;
  readonly state: string;
  readonly since: string;
  readonly stuckSince: string | null;
  readonly attempts: number;
  readonly problem: Shown | null;
  readonly furtherProblems: readonly { readonly code: string }[];
  readonly notices: readonly Shown[];
  readonly reminder: { readonly code: string } | null;
  readonly nextTryAt: string | null;
  readonly evidence: readonly { readonly asked: string; readonly answered: string; readonly means?: string }[];
}

export interface ShownStatus {
  /** As a worker tells it. */
  readonly onboarding: {
    readonly state: string;
    readonly step: StepName | null;
    readonly problem: Shown | null;
    readonly steps: readonly ShownStep[];
    readonly credentialsVersion: number;
  };
  readonly extraction: { readonly state: string; readonly problem: Shown | null } | null;
  readonly events: { readonly inQueue: number | null; readonly extracted: number };
}

/** A customer of ours in a world, driven over HTTP. */
export interface TestTenant {
  readonly id: string;
  /** As shown when it was created. */
  readonly webhookUrl: string;
  readonly webhookKey: string;
  give(credentials: {
    domain: string;
    email: string;
    apiToken: string;
    webhookSetup?: 'create_for_me' | 'by_hand';
  }): Promise<void>;
  recheck(): Promise<void>;
  status(): Promise<ShownStatus>;
  /** The status as soon as it is as wanted; throws the last one after `ms`. */
  until(wanted: (status: ShownStatus) => boolean, ms?: number): Promise<ShownStatus>;
}

let count = 0;

export async function createTenant(world: World, options: object = {}): Promise<TestTenant> {
  count += 1;
  const id = `tenant-${count}`;
  const path = `/v1/tenants/${id}`;
  const made = (await world.api('POST', '/v1/tenants', { tenantId: id, name: `Tenant ${count}`, ...options })) as {
    webhookUrl: string;
    webhookKey: string;
  };
  const status = async () => (await world.api('GET', path)) as ShownStatus;
  return {
    id,
    ...made,
    give: async (credentials) => void (await world.api('PUT', `${path}/credentials`, credentials)),
    recheck: async () => void (await world.api('POST', `${path}/recheck`)),
    status,
    until: async (wanted, ms = 40_000) => {
      const end = Date.now() + ms;
      for (;;) {
        const now = await status();
        // While no worker answers, the API says what Temporal has recorded, and that has no steps.
        if (now.onboarding?.steps && wanted(now)) return now;
        if (Date.now() > end) throw new Error(`Not within ${ms} ms. Last: ${JSON.stringify(now.onboarding, null, 1)}`);
        await delay(30);
      }
    },
  };
}

/** What the customer types into the connect page. */
export const credentialsOf = ({ host, email, apiToken }: TestGladly) => ({ domain: host, email, apiToken });

export function stepIn(status: ShownStatus, name: StepName): ShownStep {
  const found = status.onboarding.steps.find((it) => it.name === name);
  if (!found) throw new Error(`There is no step ${name}.`);
  return found;
}
