/** What Temporal UI shows of a workflow beside its current details, in Markdown. They are stored when it starts. */
export const ONBOARDING_DETAILS = [
  'Connects one customer: finds out what is in the way of each step, tries again what time heals, and waits for a person where only a person can help.',
  ' It stays for as long as the customer does, so that credentials can be replaced.',
  '\n\nIts *current details* tell how each step stands and what to do. When something was mended, send the signal **recheck**.',
].join('');

export const EXTRACTION_DETAILS = [
  'Takes a customer’s events out of SQS and extracts their conversations from Gladly. It lives as long as the customer is connected and never ends by failing.',
  '\n\nIts *current details* tell what it is doing, since when, why, and what to do. Stop it with the signal **pause** and let it go on with **resume**:',
  ' not with Temporal’s own *Pause*, which does not stop the drain that is at work.',
].join('');

/** Beside the signals that both workflows have. */
export const TUNE =
  'Keep to these times from now on. Sent by the sweep when the settings were changed: not for people.';
export const RENEW =
  'Begin a new history as soon as nothing is in hand, encrypted under the first key: this workflow needs an older one no more then. No input.';
