import { parse } from 'yaml';
import { z } from 'zod';

/**
 * What this folder needs of a compose file: the services as Docker Compose would run them, with every variable filled in.
 * Only the short forms that temporal-compose.yml uses are taken; anything else is refused rather than misread.
 */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const healthcheck = z.looseObject({ test: z.tuple([z.literal('CMD'), z.string()], z.string()) });

const service = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), text).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: healthcheck.optional(),
  restart: z.string(),
});

const composeFile = z.looseObject({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.looseObject({}).nullable()),
  volumes: z.record(z.string(), z.looseObject({}).nullable()),
});

export type ComposeFile = z.output<typeof composeFile>;
export type ComposeService = z.output<typeof service>;

/** A variable that the file cannot do without is missing. */
export class MissingVariableError extends Error {
  override readonly name = 'MissingVariableError';
}

/** Throws MissingVariableError, a ZodError for what this module does not know, and what the YAML parser throws. */
export function readComposeFile(yaml: string, env: NodeJS.ProcessEnv): ComposeFile {
  const filled = fillAll(parse(yaml, { merge: true }), env);
  return composeFile.parse(filled);
}

/** The services in an order in which each comes after those it depends on. Throws when two wait for each other. */
export function inOrder(services: ComposeFile['services']): readonly string[] {
  const done = new Set<string>();
  const all = Object.entries(services);
  while (done.size < all.length) {
    const next = all.find(
      ([name, { depends_on }]) => !done.has(name) && Object.keys(depends_on).every((on) => done.has(on)),
    );
    if (next === undefined) throw new Error(`no service can start next; in place: ${[...done].join(', ')}`);
    done.add(next[0]);
  }
  return [...done];
}

/** `${NAME}`, `${NAME:?why}`, `${NAME:-standard}` and `${NAME-standard}` as Compose fills them in; `$$` is a dollar sign. */
export function fill(value: string, env: NodeJS.ProcessEnv): string {
  return value.replaceAll(/\$\$|\$\{(?<name>\w+)(?:(?<how>:\?|:-|-)(?<rest>[^}]*))?\}/g, (whole, ...found) => {
    if (whole === '$$') return '$';
    const { name, how, rest } = groups.parse(found.at(-1));
    const given = env[name];
    if (how === ':?' && !given) throw new MissingVariableError(`${name}: missing (${rest})`);
    if (how === ':-') return given || (rest ?? '');
    return given ?? rest ?? '';
  });
}

const groups = z.object({ name: z.string(), how: z.string().optional(), rest: z.string().optional() });

function fillAll(value: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') return fill(value, env);
  if (Array.isArray(value)) return value.map((one) => fillAll(one, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillAll(one, env)]));
}
