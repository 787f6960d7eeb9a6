import type { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';

/** What became of one history. */
export interface Replayed {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  /** Temporal's name of the state, such as RUNNING. */
  readonly status: string;
  /** Why the code of this commit does not fit it; null when it does. */
  readonly error: string | null;
}

export interface ReplayOptions {
  readonly dataConverter: DataConverter;
  readonly workflowBundle: WorkflowBundleOption;
  /** Types of workflows. */
  readonly types: readonly string[];
  /** Histories of each type, open and closed ones each. */
  readonly newest: number;
}

/** Replays the newest open and closed histories of a cluster against a bundle, one after the other: what a deploy would do to them. Changes nothing there. */
export async function* replayFrom(client: Client, options: ReplayOptions): AsyncGenerator<Replayed> {
  const { dataConverter, workflowBundle, types, newest } = options;
  for (const type of types) {
    for (const open of ['=', '!=']) {
      const query = `WorkflowType = '${type}' AND ExecutionStatus ${open} 'Running'`;
      let left = newest;
      for await (const { workflowId, runId, status } of client.workflow.list({ query, pageSize: newest })) {
        if (left === 0) break;
        left -= 1;
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        const error = await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, workflowId).then(
          () => null,
          (thrown: unknown) => String(thrown),
        );
        yield { workflowId, runId, type, status: status.name, error };
      }
    }
  }
}
