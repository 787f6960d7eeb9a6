/**
 * Loaded before a role of the product with `node --import`: its clock is then CLOCK_<ROLE>_MS milliseconds ahead of this machine's, or behind. Other
 * programs, and timers, stay as they are.
 */
const [, program = '', role = ''] = process.argv;
const skewMs = program.endsWith('/src/main.ts') ? Number(process.env[`CLOCK_${role.toUpperCase()}_MS`] ?? 0) : 0;

if (skewMs !== 0) {
  const now = Date.now.bind(Date);
  const skewed = (): number => now() + skewMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, given, wanted) => Reflect.construct(target, given.length === 0 ? [skewed()] : given, wanted),
    get: (target, name, self) => (name === 'now' ? skewed : Reflect.get(target, name, self)),
  });
}
