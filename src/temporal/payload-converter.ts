import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';
import { encodingOf, unreadable, whyUnopened } from '../contracts/unreadable.ts';

/** Characters of an encoding's name that are shown: anybody who can signal a workflow chooses it. */
const SHOWN = 60;

/**
 * Temporal's own conversion, but that nothing which cannot be read throws: whoever reads it gets an Unreadable in its place (contracts/unreadable.ts).
 * An exception here would end the worker's process, or fail the workflow task for ever. The SDK loads this file by its path, in the worker, in
 * clients and in the workflow sandbox.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload<T>(...[payload, context, hint]: Parameters<PayloadConverter['fromPayload']>): T {
    const why = whyUnopened(payload);
    if (why !== null) return unreadable(why) as T;
    try {
      return defaultPayloadConverter.fromPayload<T>(payload, context, hint as never);
    } catch {
      const encoding = encodingOf(payload) ?? '(none)';
      return unreadable(`its encoding ${encoding.slice(0, SHOWN)} is not ours, or it is damaged`) as T;
    }
  },
};
