import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ComposeService, readComposeFile } from '../../../deploy/compose/compose-file.ts';

export const PROJECT = join(import.meta.dirname, '../../..');

export const projectFile = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

/** What docs/deploy.md tells to put into .env; values of the right form, and no secrets. */
export const ENV = {
  POSTGRES_PASSWORD: '0123456789abcdef'.repeat(3),
  OPERATOR_KEYS: 'anna:0123456789abcdef0123456789abcdef',
  SECRET_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
} as const;

export const composeText = projectFile('temporal-compose.yml');
export const compose = readComposeFile(composeText, ENV);
export const services: readonly (readonly [string, ComposeService])[] = Object.entries(compose.services);

/** It ends by itself, and others wait for that. */
export const isOneShot = (name: string): boolean =>
  services.some(([, { depends_on }]) => depends_on[name]?.condition === 'service_completed_successfully');

/** Runs this project's own image. */
export const ownServices = services.filter(([, { build }]) => build !== undefined);

export function serviceOf(name: string): ComposeService {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`temporal-compose.yml has no service ${name}`);
  return found;
}
