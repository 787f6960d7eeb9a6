/** Reads the input of signals: any JSON, as any client of Temporal can send one. */
import type { ExtractionTuning, Request } from '../../contracts/extraction.ts';
import type {
  CancelRequest,
  OnboardingTunings,
  SubmittedCredentials,
  WebhookSetup,
} from '../../contracts/onboarding.ts';
import { isProblemCode, type Problem } from '../../contracts/problems.ts';

/** Characters of a text, and of a problem's params as JSON (those of the sweep: fewer than 100). */
const MAX_LENGTH = 500;

export function asked(given: unknown): Request {
  const { by, reason } = fields(given);
  return { by: typed(by) ?? 'somebody in Temporal', reason: typed(reason) ?? 'no reason given' };
}

export function cancelAsked(given: unknown): CancelRequest {
  return { ...asked(given), discardWaitingEvents: fields(given)['discardWaitingEvents'] === true };
}

export function isWebhookSetup(given: unknown): given is WebhookSetup {
  return given === 'create_for_me' || given === 'by_hand';
}

/** Nobody enters credentials so often: a number beyond it is no version, and would keep every real one from being looked at. */
const MOST_VERSIONS = 1_000_000;

/** Null when it names no version of stored credentials. */
export function credentialsIn(given: unknown): SubmittedCredentials | null {
  const { version, setup } = fields(given);
  if (!Number.isSafeInteger(version) || Number(version) <= 0 || Number(version) > MOST_VERSIONS) return null;
  return { version: Number(version), ...(isWebhookSetup(setup) ? { setup } : {}) };
}

/** Before there was anything to pause. Temporal refuses times of years that have not four digits, and with them the task. */
const FIRST_TIME = Date.parse('2000-01-01T00:00:00Z');

/** When it was asked for, an ISO time: `now` unless an earlier one is given. */
export function askedAt(given: unknown, now: string): string {
  const { at } = fields(given);
  const ms = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  return ms >= FIRST_TIME && ms <= Date.parse(now) ? new Date(ms).toISOString() : now;
}

/** Null when a time is missing or is none: what it keeps to stays. */
export function extractionTuningIn(given: unknown): ExtractionTuning | null {
  const times = timesIn(given, [
    'parkedLookMs',
    'gladlyWaitMs',
    'gladlyWaitMaxMs',
    'attentionLookMs',
    'continueAsNewAfter',
  ]);
  const { consoleUrl } = fields(given);
  return times && { ...times, ...(typeof consoleUrl === 'string' ? { consoleUrl } : {}) };
}

export function onboardingTuningsIn(given: unknown): OnboardingTunings | null {
  const { own, extraction } = fields(given);
  const times = timesIn(own, ['retryMs', 'retryMaxMs', 'recheckMs', 'proofLookMs', 'overdueMs', 'continueAsNewAfter']);
  const ofExtraction = extractionTuningIn(extraction);
  return times && ofExtraction && { own: times, extraction: ofExtraction };
}

/** A year: in ms as long as anything waits. Also more events than a history can have. */
const MOST = 366 * 86_400_000;
/** A history that ends sooner would begin anew again and again, and nothing else would be done. */
const LEAST_EVENTS = 10;

/** Each a number of at least 1; null when one is not, or is one that no timer or history can keep to. */
function timesIn<N extends string>(given: unknown, names: readonly N[]): Record<N, number> | null {
  const found = fields(given);
  const times = names.map((name) => [name, found[name]] as const);
  const areTimes = times.every(
    ([name, value]) =>
      typeof value === 'number' && value >= (name === 'continueAsNewAfter' ? LEAST_EVENTS : 1) && value <= MOST,
  );
  return areTimes ? (Object.fromEntries(times) as Record<N, number>) : null;
}

/** The problem's params are shown: anything but a text or a number could not be. What else was given is left out, however large or deep. */
export function problemIn(given: unknown): Problem | null {
  const { code, params } = fields(given);
  if (typeof code !== 'string' || !isProblemCode(code) || typeof params !== 'object' || params === null) return null;
  const shows = Object.values(params).every((value) => typeof value === 'string' || typeof value === 'number');
  return shows && JSON.stringify(params).length <= MAX_LENGTH ? ({ code, params } as Problem) : null;
}

function typed(given: unknown): string | null {
  return typeof given === 'string' && given.trim() !== '' ? given.trim().slice(0, MAX_LENGTH) : null;
}

function fields(given: unknown): { readonly [Name in string]?: unknown } {
  return typeof given === 'object' && given !== null ? (given as { readonly [Name in string]?: unknown }) : {};
}
