import { readFileSync, writeFileSync } from 'node:fs';

const markers = (name: string) => ({ begin: `<!-- ${name}: begin -->`, end: `<!-- ${name}: end -->` });

/** What stands between the markers of section `name` in a Markdown text; empty when there is no such section. */
export function section(text: string, name: string): string {
  const { begin, end } = markers(name);
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  return from === -1 || to < from ? '' : text.slice(from + begin.length, to).trim();
}

/** The text with `body` in that section, at the end when there is none yet. */
export function withSection(text: string, name: string, body: string): string {
  const { begin, end } = markers(name);
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  const whole = `${begin}\n${body.trim()}\n${end}`;
  if (from === -1 || to < from) return `${text.trimEnd()}\n\n${whole}\n`;
  return text.slice(0, from) + whole + text.slice(to + end.length);
}

/** Rewrites one section of a document that a command keeps up to date. */
export function writeSection(file: string, name: string, body: string): void {
  writeFileSync(file, withSection(readFileSync(file, 'utf8'), name, body));
}
