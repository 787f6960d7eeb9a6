import type { Evidence } from '../../contracts/onboarding.ts';
import { GladlyError, type GladlyErrorDetail } from '../../gladly/errors.ts';

/** What a verdict rests on, collected while a step asks its questions. */
export interface Questions {
  readonly evidence: readonly Evidence[];
  /** Asks, and notes what came back; an answer that is an error is noted and thrown. `read` puts the answer into words. */
  ask<T>(asked: string, question: () => Promise<T>, read: (answer: T) => Said): Promise<T>;
  note(asked: string, said: Said): void;
}

/** What came back, and what follows from it. */
export type Said = string | { readonly answered: string; readonly means: string };

export function questions(now: () => Date): Questions {
  const evidence: Evidence[] = [];
  const note = (asked: string, said: Said): void => {
    const words = typeof said === 'string' ? { answered: said } : said;
    evidence.push({ asked, ...words, at: now().toISOString() });
  };
  return {
    evidence,
    note,
    ask: async (asked, question, read) => {
      try {
        const answer = await question();
        note(asked, read(answer));
        return answer;
      } catch (error) {
        if (error instanceof GladlyError) note(asked, describe(error));
        throw error;
      }
    },
  };
}

/** The status, or why there was none, and the fields and codes of Gladly's `errors`. Never Gladly's own text: it may quote what was sent. */
export function describe({ kind, status, failure, details }: GladlyError): string {
  const what = failure.kind === 'connection' ? `no connection: ${failure.fault}` : kind;
  const said = (status === undefined ? what : `${status} ${what}`).replaceAll('_', ' ');
  const reasons = details.slice(0, MOST_REASONS).flatMap(reasonOf);
  return reasons.length === 0 ? said : `${said}: ${[...new Set(reasons)].join(', ')}`;
}

const MOST_REASONS = 5;

/** `events[8] invalid`. What does not look like a field or a code is left out: it may be anything. */
function reasonOf({ attr = '', code = '' }: GladlyErrorDetail): readonly string[] {
  const known = [FIELD.test(attr) ? attr : '', CODE.test(code) ? code : ''].filter((it) => it !== '');
  return known.length === 0 ? [] : [known.join(' ')];
}

const FIELD = /^(?=.{1,40}$)[a-z][A-Za-z]*(?:\[\d{1,3}\]|\.[a-z][A-Za-z]*)*$/;
const CODE = /^[a-z_]{1,40}$/;
