import { createHash } from 'node:crypto';

/** A form that is sent twice (a double click, a reload) is acted upon once: both get the answer of the first. */
export interface Once {
  /**
   * Does it, or waits for and answers what the same form came to a moment ago. `form` names what is done and to whom; with the same
   * fields it is the same. One that failed may be tried again at once.
   */
  run<T>(form: string, fields: Readonly<Record<string, unknown>>, act: () => Promise<T>): Promise<T>;
}

/** `keepMs`: within this time after the answer the same form is a repetition, and later a new wish. */
export function createOnce(keepMs: number): Once {
  const answered = new Map<string, Promise<unknown>>();
  return {
    run<T>(form: string, fields: Readonly<Record<string, unknown>>, act: () => Promise<T>): Promise<T> {
      // A hash, so that no token is kept.
      const key = createHash('sha256')
        .update(JSON.stringify([form, fields]))
        .digest('base64');
      const known = answered.get(key);
      // The same form has an answer of the same type.
      if (known !== undefined) return known as Promise<T>;
      const answer = act();
      answered.set(key, answer);
      const forget = (): boolean => answered.delete(key);
      answer.then(() => setTimeout(forget, keepMs).unref(), forget);
      return answer;
    },
  };
}
