/** Bundles the workflows and writes the code to stdout: see workflow-bundle.ts. */
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { failureConverterPath } from './data-converter.ts';

const { code } = await bundleWorkflowCode({
  workflowsPath: new URL('../workflows/index.ts', import.meta.url).pathname,
  failureConverterPath,
  logger: new DefaultLogger('WARN'),
});
process.stdout.write(code);
