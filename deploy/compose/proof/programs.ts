import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeService } from '../compose-file.ts';

/** What a service's container would run, here. */
export interface Program {
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export interface Places {
  readonly programs: string;
  readonly app: string;
  readonly scratch: string;
}

const PROJECT = join(import.meta.dirname, '..', '..');
/** As in the images: nobody in particular, and least of all root. Postgres's own, in Debian and in its image, has a name. */
const POSTGRES_USER = 'postgres';
const NOBODY = 'nobody';

/** The program of `service`, with its environment and nothing else of this machine's. Undefined for a Temporal UI that is not there. */
export async function programOf(name: string, service: ComposeService, places: Places): Promise<Program | undefined> {
  const path = [places.programs, join(places.programs, 'postgres', 'bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(
    ':',
  );
  const command = commandOf(name, service, places, path);
  if (command === undefined) return undefined;
  const cwd = service.build === undefined ? places.scratch : places.app;
  // Like a container's: no HOME, no proxy, nothing that the file does not give.
  return { command: command.map((word) => mounted(service, word)), env: { ...mountedAll(service), PATH: path }, cwd };
}

function commandOf(name: string, service: ComposeService, places: Places, path: string): readonly string[] | undefined {
  const command = service.command ?? [];
  const image = service.image.split(':')[0];
  switch (image) {
    case 'postgres':
      return [
        ...as(POSTGRES_USER),
        ...command,
        '-D',
        postgresData(service, places, path),
        '-c',
        `unix_socket_directories=`,
      ];
    case 'temporalio/server':
      // What the image's entrypoint does: a server that listens everywhere tells the others one address.
      return ['env', 'TEMPORAL_BROADCAST_ADDRESS=127.0.0.1', ...as(NOBODY), 'temporal-server', 'start'];
    case 'temporalio/admin-tools':
      return [...as(NOBODY), ...command];
    case 'softwaremill/elasticmq-native':
      return elasticMq(places);
    case 'temporalio/ui':
      if (!existsSync(join(places.programs, 'ui-server'))) return undefined;
      // As its image starts it, with the configuration that reads the environment.
      return [...as(NOBODY), 'ui-server', '--root', places.programs, '--env', 'docker', 'start'];
    default:
      // The sources belong to root, as in the image, so that a part which writes beside them fails here too.
      if (service.build !== undefined) return [...as(NOBODY), process.execPath, ...command.slice(1)];
      throw new Error(`${name}: nothing is known of the image ${service.image}`);
  }
}

const as = (user: string): readonly string[] => [
  'setpriv',
  `--reuid=${user}`,
  `--regid=${gidOf(user)}`,
  '--clear-groups',
];

const gidOf = (user: string): string => execFileSync('id', ['-g', user], { encoding: 'utf8' }).trim();

/** The folder of its database; made as the image's entrypoint makes it when there is none. */
function postgresData(service: ComposeService, { scratch }: Places, path: string): string {
  const folder = join(scratch, 'postgres');
  if (existsSync(folder)) return folder;
  const env = { ...service.environment, PATH: path };
  const { POSTGRES_USER: user = '', POSTGRES_DB: database = '', POSTGRES_INITDB_ARGS: args = '' } = service.environment;
  const uid = Number(execFileSync('id', ['-u', POSTGRES_USER], { encoding: 'utf8' }));
  const gid = Number(gidOf(POSTGRES_USER));
  const password = join(scratch, 'password');
  writeFileSync(password, service.environment['POSTGRES_PASSWORD'] ?? '', { mode: 0o600 });
  mkdirSync(folder);
  for (const path of [folder, password]) chownSync(path, uid, gid);
  const [setpriv = '', ...rest] = as(POSTGRES_USER);
  const run = (words: readonly string[], input = ''): void =>
    void execFileSync(setpriv, [...rest, ...words], { env, input, cwd: folder, stdio: ['pipe', 'ignore', 'inherit'] });
  run([
    'initdb',
    '-D',
    folder,
    `--username=${user}`,
    `--pwfile=${password}`,
    '--auth=scram-sha-256',
    ...args.split(' '),
  ]);
  rmSync(password);
  run(['postgres', '--single', '-j', '-D', folder, 'postgres'], `CREATE DATABASE "${database}";\n`);
  return folder;
}

/** The native image is the same program, compiled ahead. Its volume is a folder here. */
function elasticMq({ programs, scratch }: Places): readonly string[] {
  return [
    'java',
    '-Xmx256m',
    '-Dconfig.file=/opt/elasticmq.conf',
    `-Dmessages-storage.uri=jdbc:h2:${join(scratch, 'elasticmq-data')}`,
    '-cp',
    join(programs, 'elasticmq', '*'),
    'org.elasticmq.server.Main',
  ];
}

/** A path that is mounted in the container is the project's own file here. */
function mounted(service: ComposeService, word: string): string {
  return service.volumes
    .map((volume) => volume.split(':'))
    .filter(([from = '']) => from.startsWith('./'))
    .reduce((now, [from = '', to = '']) => now.replace(to, join(PROJECT, from)), word);
}

const mountedAll = (service: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, mounted(service, value)]));
