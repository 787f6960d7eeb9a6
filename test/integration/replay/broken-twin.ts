/** The same workflows with one command more at their beginning: a change that must never be deployed over running ones. */
import { sleep } from '@temporalio/workflow';
import type { ExtractionInput } from '../../../src/contracts/extraction.ts';
import type { OnboardingInput } from '../../../src/contracts/onboarding.ts';
import * as genuine from '../../../src/workflows/index.ts';

export async function extraction(input: ExtractionInput): Promise<void> {
  await sleep('1 second');
  await genuine.extraction(input);
}

export async function onboarding(input: OnboardingInput): Promise<void> {
  await sleep('1 second');
  await genuine.onboarding(input);
}

export async function sweep(): ReturnType<typeof genuine.sweep> {
  await sleep('1 second');
  return genuine.sweep();
}
