import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import type { Config } from '../config.ts';
import { openDb } from '../store/db.ts';
import { createSecretBox } from '../store/secret-box.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { type KeyDeps, look } from './keys/look.ts';
import { renew } from './keys/renew.ts';
import { needsPerson, reportOf } from './keys/report.ts';
import { textOf } from './keys/text.ts';

const USAGE = 'Usage: npm run keys -- [--renew] [--wait SECONDS] [--json]';

/** A drain ends within its budget of a minute, a step of an onboarding within 3 minutes. */
const WAIT_S = '180';

/**
 * Says which keys of SECRET_KEYS are still needed by open workflows and stored credentials, and with `--renew` has all go over to the first one that
 * can. Answers 1 when something is left that needs a person, else 0. Throws when the arguments do not fit or a part does not answer.
 */
export async function runKeys(config: Config, args: readonly string[]): Promise<number> {
  const options = optionsIn(args);
  const dataConverter = createDataConverter(config.SECRET_KEYS);
  const address = config.TEMPORAL_ADDRESS;
  const connection = await Connection.connect({ address }).catch((cause: unknown) => {
    throw new Error(`Temporal does not answer at ${address}`, { cause });
  });
  const db = openDb(config.DATABASE_URL, { max: 1, name: 'keys' });
  try {
    const deps: KeyDeps = {
      client: new Client({ connection, namespace: config.TEMPORAL_NAMESPACE, dataConverter }),
      db,
      secretBox: createSecretBox(config.SECRET_KEYS),
      configured: config.SECRET_KEYS.map(({ id }) => id),
    };
    const before = await look(deps);
    if (options.renews && !options.json) {
      const asks = `Has all that holds another key go over to the first, and waits up to ${options.waitMs / 1_000} s.`;
      process.stdout.write(`${textOf(reportOf(before), null)}\n${asks}\n\n`);
    }
    const renewal = options.renews ? await renew(deps, before.runs, options.waitMs) : null;
    const report = reportOf(renewal === null ? before : await look(deps));
    const needs = needsPerson(report, renewal);
    const json = `${JSON.stringify({ ...report, renewal, needsPerson: needs })}\n`;
    process.stdout.write(options.json ? json : textOf(report, renewal));
    return needs ? 1 : 0;
  } finally {
    await Promise.allSettled([db.close(), connection.close()]);
  }
}

function optionsIn(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        renew: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        wait: { type: 'string', default: WAIT_S },
      },
    });
    const waitMs = Number(values.wait) * 1_000;
    if (!(waitMs >= 0)) throw new RangeError('--wait takes a number of seconds');
    return { renews: values.renew, json: values.json, waitMs };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error });
  }
}
