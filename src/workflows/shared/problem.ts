import { type Problem, problemRemedy, problemSentence } from '../../contracts/problems.ts';

/** The same problem found again began when it was found first. `at`: ISO time. */
export function since(known: Problem | null, found: Problem, at: string): Problem {
  return { ...found, since: known?.code === found.code ? (known.since ?? at) : at };
}

export const sentence = (it: Problem): string => inline(problemSentence(it));

export const remedy = (it: Problem): string => inline(problemRemedy(it));

/** Typed by a person, or come from Gladly: it stays text in Markdown. At most 500 characters. */
export function inline(text: string): string {
  return text.replaceAll(/[`*[\]<>\\#|~\r\n]/g, ' ').slice(0, 500);
}
