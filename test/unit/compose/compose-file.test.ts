import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { fill, inOrder, MissingVariableError, readComposeFile } from '../../../deploy/compose/compose-file.ts';
import {
  compose,
  composeText,
  ENV,
  isOneShot,
  PROJECT,
  projectFile,
  serviceOf,
  services,
} from '../../support/compose/read.ts';

/**
 * The schema of the Compose Specification as Docker Compose 2.40.3 carries it: schema/compose-spec.json of the Go module
 * github.com/compose-spec/compose-go/v2 2.9.1 (Apache License 2.0, The Compose Specification Authors), with its layout changed.
 */
const specification = z.fromJSONSchema({
  ...z.looseObject({}).parse(JSON.parse(projectFile('test/unit/compose/compose-spec.json'))),
  // The schema says https, which is not the name of the draft.
  $schema: 'http://json-schema.org/draft-07/schema#',
});
const document = z.looseObject({ services: z.record(z.string(), z.looseObject({})) });
const parsed = (): z.output<typeof document> => document.parse(parse(composeText, { merge: true }));

describe('the format', () => {
  test('is that of the Compose Specification', () => {
    expect(specification.safeParse(parsed()).error?.issues).toBeUndefined();
  });

  test.each([
    ['a misspelt key', { helthcheck: {} }],
    ['a restart policy that is no word', { restart: 3 }],
    ['a condition that Compose does not know', { depends_on: { postgres: { condition: 'healthy' } } }],
    ['ports that are no list', { ports: { a: 1 } }],
    ['a list for an interval', { healthcheck: { interval: [] } }],
  ])('does not allow %s', (_, wrong) => {
    const file = parsed();
    Object.assign(file.services['api'] ?? {}, wrong);
    expect(specification.safeParse(file).success).toBe(false);
  });
});

describe('every service', () => {
  test.each(services)('%s: its image has a full version', (_, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?$/);
    // Postgres counts with two numbers, everybody else with three.
    expect(image.split(':')[1]?.split('-')[0]?.split('.')).toHaveLength(image.startsWith('postgres:') ? 2 : 3);
  });

  test.each(services)(
    '%s: has a health check, or ends by itself and is waited for',
    (name, { healthcheck, restart }) => {
      expect(healthcheck === undefined).toBe(isOneShot(name));
      expect(restart).toMatch(isOneShot(name) ? /^on-failure:\d+$/ : /^unless-stopped$/);
    },
  );

  test.each(services)('%s: publishes nothing but on 127.0.0.1', (_, { ports }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test.each(services)('%s: its networks and volumes exist', (_, { networks, volumes }) => {
    expect(networks.length).toBeGreaterThan(0);
    for (const network of networks) expect(Object.keys(compose.networks)).toContain(network);
    for (const [from = ''] of volumes.map((volume) => volume.split(':'))) {
      if (from.startsWith('./')) expect(existsSync(join(PROJECT, from)), from).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(from);
    }
  });

  test.each(services)(
    '%s: waits for health where there is a health check, and for the end where there is not',
    (_, { depends_on }) => {
      for (const [on, { condition }] of Object.entries(depends_on))
        expect(condition).toBe(isOneShot(on) ? 'service_completed_successfully' : 'service_healthy');
    },
  );
});

test('what keeps state, and what lets anybody in, is on the inner network alone', () => {
  expect(compose.networks['inside']).toEqual({ internal: true });
  for (const name of ['postgres', 'temporal', 'elasticmq']) {
    expect(serviceOf(name).networks).toEqual(['inside']);
    expect(serviceOf(name).ports).toEqual([]);
  }
});

test('Temporal and its tools are of one version', () => {
  const version = (name: string) => serviceOf(name).image.split(':')[1];
  expect(version('temporal-schema')).toBe(version('temporal'));
  expect(version('temporal-namespace')).toBe(version('temporal'));
});

test.each(Object.keys(ENV))('it does not start without %s', (name) => {
  expect(() => readComposeFile(composeText, { ...ENV, [name]: '' })).toThrow(MissingVariableError);
});

test('no secret is written in it', () => {
  const raw = z.looseObject({ environment: z.record(z.string(), z.unknown()).default({}) });
  for (const [name, service] of Object.entries(parsed().services)) {
    for (const [variable, value] of Object.entries(raw.parse(service).environment)) {
      if (/PASSWORD|PWD|KEY|TOKEN|SECRET/.test(variable)) expect(value, `${name}: ${variable}`).toMatch(/^\$\{\w+/);
    }
  }
  // Long random-looking words, and passwords in URLs.
  const words = composeText.match(/[A-Za-z0-9+/_-]{32,}/g) ?? [];
  expect(words.filter((word) => /\d/.test(word))).toEqual([]);
  expect(composeText).not.toMatch(/:\/\/\w+:(?!\$\{)[^/\s]+@/);
});

describe('variables are filled in as Compose does', () => {
  test.each([
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are Compose's
    ['${A}', { A: '1' }, '1'],
    ['${A}', {}, ''],
    ['x${A:-2}y', { A: '' }, 'x2y'],
    ['${A-2}', { A: '' }, ''],
    ['${A-2}', {}, '2'],
    ['${A:?why} ${B:-}', { A: '1' }, '1 '],
    ['$$HOME ${A-http://b:1}', {}, '$HOME http://b:1'],
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
  ])('%s with %o is %s', (value, env, filled) => {
    expect(fill(value, env)).toBe(filled);
  });
});

test('services start after those they depend on; two that wait for each other are an error', () => {
  const order = inOrder(compose.services);
  expect(order).toHaveLength(services.length);
  for (const [name, { depends_on }] of services)
    for (const on of Object.keys(depends_on)) expect(order.indexOf(on)).toBeLessThan(order.indexOf(name));
  const { api, worker } = { api: serviceOf('api'), worker: serviceOf('worker') };
  const waits = (on: string) => ({ depends_on: { [on]: { condition: 'service_healthy' } } });
  expect(() => inOrder({ api: { ...api, ...waits('worker') }, worker: { ...worker, ...waits('api') } })).toThrow(
    'no service',
  );
});
