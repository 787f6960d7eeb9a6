import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts messages and stack traces into a payload, so that the codec encrypts them too. The SDK loads this file by its path, in the worker and
 * in the workflow sandbox: it must import nothing else.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
