import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { problemsDocument } from '../../../scripts/write-problems.ts';
import { problemCodes } from '../../../src/contracts/problems.ts';
import { elsewhereFaults } from '../../support/onboarding/faults/elsewhere.ts';
import { reachingFaults } from '../../support/onboarding/faults/reaching.ts';
import { userFaults } from '../../support/onboarding/faults/user.ts';
import { webhookFaults } from '../../support/onboarding/faults/webhook.ts';

const FILE = new URL('../../../docs/problems.md', import.meta.url);

it('docs/problems.md says what the code says; else run `node scripts/write-problems.ts`', () => {
  const document = readFileSync(FILE, 'utf8');
  expect(document).toBe(problemsDocument());
  for (const code of problemCodes) expect(document).toContain(`| \`${code}\` |`);
});

it('lists the problem of each fault of the table', () => {
  const document = readFileSync(FILE, 'utf8');
  for (const { code } of [...reachingFaults, ...elsewhereFaults, ...userFaults, ...webhookFaults])
    expect(document).toContain(`\`${code}\``);
});
