import { METADATA_ENCODING_KEY, type Payload } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';

/** Both module instances that one process may have of this file know each other's values by it. */
const BRAND = Symbol.for('idiomatic.unreadable');

/**
 * Stands for a value that could not be read from its payload: encrypted under a key that is not known, in an encoding that is not ours, or damaged.
 * Whoever gets one decides what it costs: a signal is ignored, a result or an input stops the one workflow that needs it.
 */
export interface Unreadable {
  readonly [BRAND]: true;
  /** For people. No part of the value. */
  readonly why: string;
}

/** Encoding of a payload that the codec could not open. Never written to a history: it goes no further than the converter. */
const UNOPENED = 'binary/unreadable';

/** What the codec gives in the place of a payload that it cannot open. */
export const unopened = (why: string): Payload => ({
  metadata: { [METADATA_ENCODING_KEY]: encode(UNOPENED) },
  data: encode(why),
});

/** Why the codec could not open it; null for any other payload. */
export const whyUnopened = (payload: Payload): string | null =>
  encodingOf(payload) === UNOPENED ? decode(payload.data ?? new Uint8Array()) : null;

/** Null when it names none. */
export function encodingOf({ metadata }: Payload): string | null {
  const encoding = metadata?.[METADATA_ENCODING_KEY];
  return encoding == null ? null : decode(encoding);
}

export const unreadable = (why: string): Unreadable => ({ [BRAND]: true, why });

export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && BRAND in value;

/** Why the first one that cannot be read cannot be; null when all can. */
export const whyUnreadable = (values: readonly unknown[]): string | null => values.find(isUnreadable)?.why ?? null;

/** Type of the failure of an activity whose input cannot be read; it is tried again, since a key may be put back. */
export const UNREADABLE_INPUT = 'UnreadableInput';
