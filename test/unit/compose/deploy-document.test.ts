import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { readComposeFile } from '../../../deploy/compose/compose-file.ts';
import { readConfig } from '../../../src/config.ts';
import { composeText, projectFile } from '../../support/compose/read.ts';

const document = projectFile('docs/deploy.md');

test('the .env that the document makes is one that everything accepts', () => {
  const script = /```sh\n(?<script>[^`]*> \.env[^`]*)```/.exec(document)?.groups?.['script'] ?? '';
  // As somebody pastes it: the list's indentation does not come along.
  const pasted = script.replaceAll(/^ {3}/gm, '');
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    execFileSync('sh', ['-eu'], { cwd: folder, input: pasted });
    const env = parseEnv(readFileSync(join(folder, '.env'), 'utf8'));
    const { services } = readComposeFile(composeText, env);
    expect(readConfig(services['api']?.environment ?? {}, 'api').PUBLIC_URL).toBe(env['PUBLIC_URL']);
    expect(readConfig(services['worker']?.environment ?? {}, 'worker').SECRET_KEYS).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('every variable that the compose file reads from outside is in the document', () => {
  const read = new Set([...composeText.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name));
  for (const name of read) expect(document).toContain(`\`${name}\``);
});
