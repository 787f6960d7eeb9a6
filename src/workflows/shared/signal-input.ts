/**
 * Reads the input of signals and updates. Any client of Temporal can send one: the input can be any JSON, and an exception in a handler
 * would fail the workflow task again and again.
 */
import { log, setDefaultSignalHandler } from '@temporalio/workflow';
import type { Request } from '../../contracts/extraction.ts';
import type { CancelRequest, WebhookSetup } from '../../contracts/onboarding.ts';
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

/** The version of stored credentials. */
export function isSubmittedCredentials(given: unknown): given is { readonly version: number } {
  const { version } = fields(given);
  return Number.isSafeInteger(version) && Number(version) > 0;
}

/** The problem's params are shown: anything but a text or a number could not be. What else was given is left out, however large or deep. */
export function problemIn(given: unknown): Problem | null {
  const { code, params } = fields(given);
  if (typeof code !== 'string' || !isProblemCode(code) || typeof params !== 'object' || params === null) return null;
  const shows = Object.values(params).every((value) => typeof value === 'string' || typeof value === 'number');
  return shows && JSON.stringify(params).length <= MAX_LENGTH ? ({ code, params } as Problem) : null;
}

/** A renamed signal would vanish without a word. */
export function onUnknownSignal(tell: (name: string) => void): void {
  setDefaultSignalHandler((name) => {
    log.warn('signal: unknown', { event: 'signal.unknown', signal: name });
    tell(name);
  });
}

function typed(given: unknown): string | null {
  return typeof given === 'string' && given.trim() !== '' ? given.trim().slice(0, MAX_LENGTH) : null;
}

function fields(given: unknown): { readonly [Name in string]?: unknown } {
  return typeof given === 'object' && given !== null ? (given as { readonly [Name in string]?: unknown }) : {};
}
