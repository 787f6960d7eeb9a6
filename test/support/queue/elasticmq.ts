import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';
import type { Emulator } from './emulators.ts';

const VERSION = '1.7.1';
const MAIN = 'org.elasticmq.server.Main';

/** Starts ElasticMQ from Maven Central on a free port. The first time on a machine it is downloaded (50 MB). */
export async function startElasticMq(): Promise<Emulator> {
  const classPath = await findClassPath();
  const folder = await mkdtemp(join(tmpdir(), 'elasticmq-'));
  const port = await freePort();
  const config = join(folder, 'elasticmq.conf');
  await writeFile(config, settings(port));
  const child = spawn('java', ['-Xmx256m', `-Dconfig.file=${config}`, '-cp', classPath, MAIN], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await untilItAnswers(child, port);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const settings = (port: number): string => `
include classpath("application.conf")
node-address { protocol = http, host = "127.0.0.1", port = ${port}, context-path = "" }
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = ${port}, sqs-limits = strict }
rest-stats { enabled = false }
`;

/** Maven resolves and downloads the jars; they are kept in the user's cache folder. */
async function findClassPath(): Promise<string> {
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'idiomatic-for-gladly',
    `elasticmq-${VERSION}`,
  );
  const kept = join(cache, 'class-path');
  const found = await readFile(kept, 'utf8').catch(() => null);
  if (found !== null) return found;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'resolve-'));
  try {
    await writeFile(join(work, 'pom.xml'), pom());
    const jars = join(work, 'jars');
    await maven(['-B', '-q', '-f', join(work, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]);
    // When several test files do this at the same time, the first rename wins, and the others use its jars.
    await rename(jars, join(cache, 'jars')).catch(() => undefined);
    const classPath = join(cache, 'jars', '*');
    await writeFile(kept, classPath);
    return classPath;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function maven(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('mvn', args, { timeout: 300_000 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`ElasticMQ needs Java 17 and Maven (apt install maven), or SKIP_ELASTICMQ=1 to go without: ${why}`);
  }
}

const pom = (): string => `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>elasticmq</artifactId><version>1</version>
<dependencies><dependency><groupId>org.elasticmq</groupId><artifactId>elasticmq-server_2.13</artifactId><version>${VERSION}</version></dependency></dependencies>
</project>`;

async function untilItAnswers(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  child.stdout?.on('data', (chunk) => (said = (said + chunk).slice(-2_000)));
  child.stderr?.on('data', (chunk) => (said = (said + chunk).slice(-2_000)));
  let failure: string | null = null;
  child.once('error', (error) => (failure = error.message));
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (failure !== null || child.exitCode !== null) throw new Error(`ElasticMQ did not start: ${failure ?? said}`);
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`ElasticMQ did not answer within a minute: ${said}`);
}
