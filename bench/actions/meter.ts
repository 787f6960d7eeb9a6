import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { SWEEP_ID } from '../../src/contracts/sweep.ts';
import { openDb } from '../../src/store/db.ts';
import { grown, serverMetrics, sumBy } from '../support/server-metrics.ts';
import type { World } from '../support/world.ts';

/** Actions by their type, as the server names it. */
export type Actions = ReadonlyMap<string, number>;

const SWEEP_WITHIN_MS = 120_000;
/** Until the sweep's workflow has ended, after it has said that all were looked at: it removes what is old then. */
const AFTER_SWEEP_MS = 2_000;
const LOOK_MS = 200;

/** Counts the actions that the Temporal server of a world was asked for, in the namespace of the product. */
export class ActionMeter {
  readonly #world: World;
  readonly #port: number;

  constructor(world: World, port: number) {
    this.#world = world;
    this.#port = port;
  }

  async during(act: () => Promise<unknown>): Promise<Actions> {
    const before = await this.#count();
    await act();
    return grown(before, await this.#count());
  }

  /** Has all tenants looked at so many times, one time after the other, as the Schedule of the sweep does. */
  async sweeps(count: number): Promise<Actions> {
    const connection = await Connection.connect({ address: this.#world.temporalAddress });
    const db = openDb(this.#world.places().databaseUrl, { max: 1, name: 'bench' });
    const lastSweep = async (): Promise<number> => {
      const { rows } = await db.query<{ at: Date }>('SELECT succeeded_at AS at FROM sweeps');
      return rows[0]?.at.getTime() ?? 0;
    };
    try {
      const schedule = new Client({ connection }).schedule.getHandle(SWEEP_ID);
      return await this.during(async () => {
        for (let n = 0; n < count; n += 1) {
          const before = await lastSweep();
          await schedule.trigger();
          const end = performance.now() + SWEEP_WITHIN_MS;
          while ((await lastSweep()) === before) {
            if (performance.now() > end) throw new Error(`a sweep took longer than ${SWEEP_WITHIN_MS / 1_000} s`);
            await sleep(LOOK_MS);
          }
          await sleep(AFTER_SWEEP_MS);
        }
      });
    } finally {
      await Promise.allSettled([db.close(), connection.close()]);
    }
  }

  async #count(): Promise<Actions> {
    return sumBy(await serverMetrics(this.#port), 'action', 'action_type', { namespace: 'default' });
  }
}

/** `ScheduleActivityTask 12, SignalWorkflowExecution 3`, most first. */
export function typesInWords(actions: Actions): string {
  const sorted = [...actions].sort(([, a], [, b]) => b - a);
  return sorted.map(([type, count]) => `${type.replace(/^(grpc|command)_/, '')} ${count}`).join(', ') || 'none';
}

/** What was counted in a run of bounded length. */
export interface Counted {
  readonly tenants: number;
  /** In `seconds` in which there was no sweep; and as many seconds before there were tenants. */
  readonly quiet: number;
  readonly quietBefore: number;
  readonly seconds: number;
  /** In so many sweeps, and in as many before there were tenants. */
  readonly swept: number;
  readonly sweptBefore: number;
  readonly sweeps: number;
}

const DAY_S = 86_400;
/** SWEEP_MS of src/config.ts. */
const SWEEPS_A_DAY = DAY_S / 300;

/** Actions a tenant and day: what time costs, and what sweeps cost, each less what there is of it without tenants. */
export function perDay({ tenants, quiet, quietBefore, seconds, swept, sweptBefore, sweeps }: Counted): number {
  const ofTime = (Math.max(0, quiet - quietBefore) / seconds) * DAY_S;
  const ofSweeps = (Math.max(0, swept - sweptBefore) / sweeps) * SWEEPS_A_DAY;
  return (ofTime + ofSweeps) / tenants;
}
