/** `npm run bench -- NAME`: runs `bench/NAME/main.ts` with the options that follow, whose last lines on stdout are JSON, one a figure. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OptionsError } from './support/options.ts';

const name = process.argv[2] ?? '';
const program = (of: string): string => join(import.meta.dirname, of, 'main.ts');
if (!/^[a-z0-9]+$/.test(name) || !existsSync(program(name))) {
  const names = readdirSync(import.meta.dirname).filter((folder) => existsSync(program(folder)));
  process.stderr.write(`Usage: npm run bench -- ${names.join(' | ')} [--OPTION VALUE …]\n`);
  process.exit(2);
}
try {
  await import(program(name));
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
