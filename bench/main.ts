/** `npm run bench -- NAME`: runs `bench/NAME/main.ts`, whose last lines on stdout are JSON, one a figure. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const name = process.argv[2] ?? '';
const program = (of: string): string => join(import.meta.dirname, of, 'main.ts');
if (!/^[a-z]+$/.test(name) || !existsSync(program(name))) {
  const names = readdirSync(import.meta.dirname).filter((folder) => existsSync(program(folder)));
  process.stderr.write(`Usage: npm run bench -- ${names.join(' | ')}\n`);
  process.exit(2);
}
await import(program(name));
