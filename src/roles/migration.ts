import { setTimeout as pause } from 'node:timers/promises';
import type { Db } from '../store/db.ts';
import { isTransient } from '../store/errors.ts';
import { migrate } from '../store/migrate.ts';
import type { Logger } from '../telemetry/log.ts';

/** While Postgres is out, in milliseconds. */
const AGAIN_MS = 1_000;

/** The migrations of a process that serves what needs no Postgres while it is out. */
export interface Migration {
  readonly isDone: boolean;
  /** Resolves when they are done or the process stops. Rejects with what time does not heal: MigrationError, or StoreError. */
  readonly done: Promise<void>;
  stop(): void;
}

/** Migrates now, and again and again while Postgres is out. */
export function keepMigrating(db: Db, log: Logger): Migration {
  const stopped = new AbortController();
  let isDone = false;
  const untilDone = async (): Promise<void> => {
    for (let tries = 1; !stopped.signal.aborted; tries += 1) {
      try {
        await migrate(db);
        isDone = true;
        if (tries > 1) log.info({ event: 'migration.done', tries }, 'migration: done, Postgres is back');
        return;
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (!isTransient(error)) throw error;
        if (tries === 1) log.warn({ event: 'migration.waits', err: error }, 'migration: waits for Postgres');
      }
      await pause(AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  return {
    get isDone() {
      return isDone;
    },
    done: untilDone(),
    stop: () => stopped.abort(),
  };
}
