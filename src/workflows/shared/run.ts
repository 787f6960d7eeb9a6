import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.ts';

/** ISO time. */
export const now = (): string => new Date().toISOString();

/** Whether the history has more than `limit` events, or Temporal suggests to continue as new. */
export function tooLong(limit: number): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > limit;
}

/** What lists of workflows show. `problem`: its code. `pausedSince`: absent in a workflow that cannot be paused. */
type Listed = { readonly state: string; readonly problem: string | null; readonly pausedSince?: Date | null };

/**
 * Shows in Temporal what a workflow does: `details` in its UI, `listed` in lists. The latter costs an event of the history, so `changed` writes
 * it only if it is another one. `show` writes it anyway: once, when all handlers are set, since histories have it after the handlers' commands.
 */
export function createDisplay(details: () => string, listed: () => Listed) {
  let written = JSON.stringify(listed());
  const show = (): void => {
    setCurrentDetails(details());
    const { state, problem, pausedSince } = listed();
    written = JSON.stringify(listed());
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.state, value: state },
      { key: SEARCH_ATTRIBUTES.problem, value: problem },
      ...(pausedSince === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.pausedSince, value: pausedSince }]),
    ]);
  };
  const changed = (): void => (JSON.stringify(listed()) === written ? setCurrentDetails(details()) : show());
  return { show, changed };
}
