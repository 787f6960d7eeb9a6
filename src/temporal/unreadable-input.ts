import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { UNREADABLE_INPUT, whyUnreadable } from '../contracts/unreadable.ts';

/** No activity sees an input that cannot be read (contracts/unreadable.ts). */
export const refuseUnreadableInput: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      const why = whyUnreadable(input.args);
      if (why !== null) {
        throw ApplicationFailure.retryable(
          `The input of ${info.activityType} cannot be read: ${why}`,
          UNREADABLE_INPUT,
        );
      }
      return await next(input);
    },
  },
});
