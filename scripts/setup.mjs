/**
 * Gets a clone ready, run by npm before `npm start`, `npm test` and the like: installs from the lock file when what is installed does not
 * match it, and puts the git hooks of .githooks to use. Plain JavaScript for Node 20, as nothing is installed yet; silent when there is
 * nothing to do.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, '.cache', 'setup.lock');

const OLDEST_NODE = 20;
/** Whoever installs touches the lock this often; one that has not been touched for long was left by a killed process. */
const TOUCH_MS = 1_000;
const ABANDONED_MS = 10_000;
/** By then the npm of a killed set-up is long done, and its number somebody else's. */
const LONGEST_INSTALL_MS = 600_000;
const POLL_MS = 200;
const LAST_LINES = 25;

const say = (line) => process.stderr.write(`${line}\n`);

async function main() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw new SetupError(
      `Node ${OLDEST_NODE} or later is needed, and this is ${process.versions.node}: https://nodejs.org`,
    );
  }
  if (whyInstall() !== undefined) {
    await withLock(async () => {
      // Whoever held the lock before may have done it all.
      const why = whyInstall();
      if (why !== undefined) await install(why);
    });
  }
  useHooks();
}

/** Only in a checkout of one's own, and never in place of hooks that somebody has chosen, for this checkout or for all. */
function useHooks() {
  if (process.env.CI || !existsSync(join(root, '.git')) || !existsSync(join(root, '.githooks'))) return;
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    if (git('config', '--default', '', '--get', 'core.hooksPath').trim() !== '') return;
    git('config', '--local', 'core.hooksPath', '.githooks');
    say('… git runs the checks of .githooks before each commit from now on (git config core.hooksPath)');
  } catch {
    // No git, or not its folder: nobody commits from here.
  }
}

/** Undefined when what is installed is what the lock file says, Node 24 included; otherwise the reason to install. */
function whyInstall() {
  const wanted = readJson(join(root, 'package-lock.json'));
  if (wanted === undefined)
    throw new SetupError('package-lock.json is missing or damaged: take it from the repository');
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'nothing is installed yet';
  for (const [path, { version, optional }] of Object.entries(wanted.packages)) {
    if (path === '') continue;
    const found = installed.packages[path];
    // Of the optional ones only those for this machine are there.
    if (found === undefined ? !optional : found.version !== version)
      return `${path.replace(/^node_modules\//, '')} is not ${version}`;
  }
  for (const path of Object.keys(installed.packages)) {
    if (wanted.packages[path] === undefined) return `${path} should not be there`;
    if (!isFile(join(root, path, 'package.json'))) return `${path} is not there`;
  }
  // The package `node` fetches the real one in a script of its own, which may have been cut short.
  const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return isFile(node) ? undefined : 'Node 24 is not there';
}

async function install(why) {
  const began = performance.now();
  say(`… npm ci (${why}); this takes a minute at most`);
  const { code, lines } = await runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) {
    throw new SetupError(
      [
        'npm ci failed:',
        ...lines.slice(-LAST_LINES).map((line) => `  ${line}`),
        'Is the package registry within reach?',
      ].join('\n'),
    );
  }
  const still = whyInstall();
  if (still !== undefined)
    throw new SetupError(
      `npm ci went through, and yet ${still}. Does npm run install scripts here (npm config get ignore-scripts)?`,
    );
  say(`  installed in ${Math.round((performance.now() - began) / 1000)} s`);
}

/** npm with the machine's own Node: the one in node_modules, first on the PATH of npm's scripts, is about to be removed. */
function runNpm(args) {
  const own = `${sep}node_modules${sep}`;
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes(own));
  const env = { ...process.env, PATH: path.join(delimiter) };
  for (const name of Object.keys(env)) if (/^npm_(lifecycle|package)_/.test(name)) delete env[name];
  return new Promise((resolve) => {
    const npm = spawn('npm', args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    npm.stdout.on('data', collect);
    npm.stderr.on('data', collect);
    if (npm.pid !== undefined) writeFileSync(join(lock, 'npm'), String(npm.pid));
    npm.once('error', (error) => resolve({ code: 1, lines: [`npm does not start: ${error.message}`] }));
    npm.once('close', (code) => resolve({ code, lines: output.trim().split('\n') }));
  });
}

/** One at a time: a second `npm ci` would pull the packages from under the first. */
async function withLock(work) {
  mkdirSync(dirname(lock), { recursive: true });
  for (let told = false; !take(); await delay(POLL_MS)) {
    if (isAbandoned()) {
      rmSync(lock, { recursive: true, force: true });
    } else if (!told) {
      say('… another set-up of this folder is at work; waiting for it');
      told = true;
    }
  }
  const touch = setInterval(() => utimesSync(lock, new Date(), new Date()), TOUCH_MS);
  try {
    await work();
  } finally {
    clearInterval(touch);
    rmSync(lock, { recursive: true, force: true });
  }
}

function take() {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new SetupError(`${lock} cannot be made: ${error.message}`);
  }
}

/** Nobody touches the lock any more, and the npm that was started under it is not still at work on its own. */
function isAbandoned() {
  try {
    const untouched = Date.now() - statSync(lock).mtimeMs;
    return untouched > LONGEST_INSTALL_MS || (untouched > ABANDONED_MS && !npmIsAlive());
  } catch {
    return false;
  }
}

function npmIsAlive() {
  try {
    return process.kill(Number(readFileSync(join(lock, 'npm'), 'utf8')), 0);
  } catch {
    return false;
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function isFile(path) {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

class SetupError extends Error {}

try {
  await main();
} catch (error) {
  say(error instanceof SetupError ? error.message : error.stack);
  process.exitCode = 1;
}
