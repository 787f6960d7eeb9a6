/** Bundles the workflows and writes the code to stdout: see workflow-bundle.ts. */
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { bundleOptions } from './bundle-options.ts';

const { code } = await bundleWorkflowCode({
  ...bundleOptions,
  logger: new DefaultLogger('WARN'),
});
process.stdout.write(code);
