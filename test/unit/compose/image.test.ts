import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../../src/config.ts';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/search-attributes.ts';
import { ownServices, PROJECT, projectFile, serviceOf } from '../../support/compose/read.ts';

const dockerfile = projectFile('deploy/Dockerfile');
const instructions = dockerfile
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line));
const of = (word: string): readonly string[] =>
  instructions.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

describe('the image', () => {
  test('has the Node that the lock file installs, pinned', () => {
    const { devDependencies } = z
      .looseObject({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(projectFile('package.json')));
    for (const from of of('FROM')) expect(from.split(' ')[0]).toBe(`node:${devDependencies['node']}-bookworm-slim`);
  });

  test('runs as a user without rights, and knows whether it is well', () => {
    expect(of('USER')).toEqual(['node']);
    expect(of('HEALTHCHECK').join()).toContain('CMD ["node", "deploy/compose/healthcheck.ts", "api"]');
  });

  test('is made of files that exist and that Dockerfile.dockerignore lets in, and of nothing else', () => {
    const allowed = projectFile('deploy/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = of('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    expect(new Set(copied)).toEqual(new Set(allowed));
    for (const path of copied) expect(existsSync(join(PROJECT, path)), path).toBe(true);
  });

  test.each(ownServices)('%s runs a part that src/main.ts has', (name, { command = [], healthcheck, image }) => {
    expect(command).toEqual(['node', 'src/main.ts', name]);
    expect(healthcheck?.test).toEqual(['CMD', 'node', 'deploy/compose/healthcheck.ts', name]);
    expect(image).toBe(serviceOf('api').image);
  });
});

describe('the environment', () => {
  /** Read by AWS's SDK itself. */
  const AWS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

  test.each(ownServices)('%s gets variables that src/config.ts knows and takes', (name, { environment }) => {
    const config = readConfig(environment, name === 'api' ? 'api' : 'worker');
    const known = new Set([...Object.keys(config), ...AWS]);
    // An empty one counts as unset, and may then have no value at all.
    const given = Object.entries(environment).filter(([, value]) => value !== '');
    for (const [variable] of given) expect(known, variable).toContain(variable);
    const src = projectFile('src/config.ts');
    for (const variable of Object.keys(environment))
      expect(AWS.includes(variable) || src.includes(`  ${variable}:`), variable).toBe(true);
  });

  test('the API listens where its container is reached, on the port that is published', () => {
    const { environment, ports } = serviceOf('api');
    expect(environment).toMatchObject({ API_HOST: '0.0.0.0', API_PORT: '3000' });
    expect(ports).toEqual(['127.0.0.1:3000:3000']);
  });

  test.each(ownServices)('%s looks for the others where they are', (_, { environment }) => {
    const { environment: postgres } = serviceOf('postgres');
    expect(environment['DATABASE_URL']).toBe(
      `postgres://${postgres['POSTGRES_USER']}:${postgres['POSTGRES_PASSWORD']}@postgres:5432/${postgres['POSTGRES_DB']}`,
    );
    expect(environment['TEMPORAL_NAMESPACE']).toBe(serviceOf('temporal-namespace').environment['TEMPORAL_NAMESPACE']);
    const elasticMq = projectFile('deploy/compose/elasticmq.conf');
    const [, host, port] = /host = (\w+)\s+port = (\d+)/.exec(elasticMq) ?? [];
    expect(environment['SQS_ENDPOINT']).toBe(`http://${host}:${port}`);
    expect(elasticMq).toContain(`region = ${environment['AWS_REGION']},`);
  });
});

test('the search attributes that are set up are those that the workflows set', () => {
  const script = projectFile('deploy/compose/temporal-namespace.sh');
  const made = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) =>
    `${name} ${type}`.toUpperCase(),
  );
  const wanted = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => `${name} ${type}`.toUpperCase());
  expect(made.toSorted()).toEqual(wanted.toSorted());
});
