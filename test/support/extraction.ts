import type { DrainResult, ExtractionInput } from '../../src/contracts/extraction.ts';

/** What a drain answers that found nothing. */
export const PARKED: DrainResult = {
  end: { kind: 'parked', lookAgainMs: null },
  counts: { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 },
};

/** For an extraction that looks at nothing by itself while a test lasts. */
export const extractionInput = (tenantId: string): ExtractionInput => ({
  version: 1,
  tenantId,
  tuning: {
    parkedLookMs: 3_600_000,
    gladlyWaitMs: 1_000,
    gladlyWaitMaxMs: 8_000,
    attentionLookMs: 900_000,
    continueAsNewAfter: 1_000,
    consoleUrl: 'https://idiomatic.example/console/tenants',
  },
});
