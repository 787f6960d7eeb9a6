/**
 * What a payload that cannot be read costs (contracts/unreadable.ts). A signal: nothing, its handler is given the Unreadable (signals.ts). An input or a result: this workflow stands still, and goes on when the payload can be read again, such as with a key that was put back.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { isUnreadable } from '../../contracts/unreadable.ts';

/** The SDK fails the task of a workflow with a default handler for ever over a signal with such a name, and the server takes it. */
const RESERVED = '__temporal_';

/** An error that is none of Temporal's fails the workflow task, which is tried again, and not the workflow. */
function readable<T>(what: string, value: T): T {
  if (isUnreadable(value)) throw new Error(`${what} cannot be read: ${value.why}`);
  return value;
}

export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      execute(input, next) {
        for (const arg of input.args) readable('The input of this workflow', arg);
        return next(input);
      },
    },
  ],
  internals: [
    {
      activate(input, next) {
        for (const { signalWorkflow } of input.activation.jobs ?? []) {
          const name = signalWorkflow?.signalName;
          if (signalWorkflow && name?.startsWith(RESERVED)) signalWorkflow.signalName = `reserved: ${name}`;
        }
        next(input);
      },
    },
  ],
  outbound: [
    {
      scheduleActivity: async (input, next) => readable(`The result of ${input.activityType}`, await next(input)),
      scheduleLocalActivity: async (input, next) => readable(`The result of ${input.activityType}`, await next(input)),
    },
  ],
});
