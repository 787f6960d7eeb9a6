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

/** Finished runs are kept up to so many events of them all: 200,000 take about 40 MB. The latest is kept, however large. */
const KEPT_EVENTS = 400_000;
const KEPT_RUNS = 1_000;

export function createRuns(emitter: Emitter): Runs {
  const runs = new Map<number, Run>();
  let lastId = 0;

  function forgetOldest(): void {
    let events = 0;
    for (const { id, state, wanted } of [...runs.values()].reverse()) {
      if (state !== 'running' && (events > KEPT_EVENTS || id <= lastId - KEPT_RUNS)) runs.delete(id);
      events += wanted;
    }
  }

  return {
    get: (id) => runs.get(id),
    start: (count, options) => {
      lastId += 1;
      const run: Run = { id: lastId, wanted: count, events: [], deliveries: 0, state: 'running' };
      runs.set(run.id, run);
      forgetOldest();
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
