import { fileURLToPath } from 'node:url';
import type { BundleOptions } from '@temporalio/worker';
import { failureConverterPath, payloadConverterPath } from './data-converter.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What the bundle of the workflows is made of. */
export const bundleOptions = {
  workflowsPath: path('../workflows/index.ts'),
  workflowInterceptorModules: [path('../workflows/shared/unreadable-payloads.ts')],
  failureConverterPath,
  payloadConverterPath,
} as const satisfies Partial<BundleOptions>;
