import type { EmitOptions, Emitter } from '../life/emitter.ts';
import type { Emitted } from '../life/life.ts';

type Run = {
  id: number;
  wanted: number;
  events: Emitted[];
  deliveries: number;
  state: 'running' | 'finished' | 'failed';
  error?: string;
};

/** Emissions under way and the last finished ones, so that a slow one can be looked after. In memory. */
export type Runs = {
  start(count: number, options: EmitOptions): { run: Run; finished: Promise<Run> };
  get(id: number): Run | undefined;
};

/** Each holds its events: a run of 200,000 takes about 40 MB. */
const KEPT_RUNS = 3;

export function createRuns(emitter: Emitter): Runs {
  const runs = new Map<number, Run>();
  let lastId = 0;

  return {
    get: (id) => runs.get(id),
    start: (count, options) => {
      lastId += 1;
      const run: Run = { id: lastId, wanted: count, events: [], deliveries: 0, state: 'running' };
      runs.set(run.id, run);
      for (const { id, state } of runs.values()) if (state !== 'running' && id <= lastId - KEPT_RUNS) runs.delete(id);
      const emission = emitter.emit(count, options, (event) => {
        run.events.push(event);
        run.deliveries += event.webhooks;
      });
      const finished = emission.then(
        () => finish(run, 'finished'),
        (error: unknown) => finish(run, 'failed', error instanceof Error ? error.message : String(error)),
      );
      return { run, finished };
    },
  };
}

function finish(run: Run, state: Run['state'], error?: string): Run {
  run.state = state;
  if (error !== undefined) run.error = error;
  return run;
}
