import { relative } from 'node:path';
import { DEMO_TENANT } from './demo.ts';
import type { DevConfig } from './dev-config.ts';
import { seconds } from './terminal.ts';

interface Facts {
  readonly config: DevConfig;
  /** The one that was made here; null: the environment has one, and only who set it knows it. */
  readonly operatorKey: string | null;
  /** There is a demo tenant; with what anybody may connect to its simulated Gladly. */
  readonly demo: { readonly domain: string; readonly email: string; readonly apiToken: string } | null;
  /** Its connect page. */
  readonly connectUrl: string | undefined;
  readonly elapsedMs: number;
}

/** What is printed when everything runs: where it is, and three commands to copy. */
export function greeting({ config, operatorKey, demo, connectUrl, elapsedMs }: Facts): string {
  const api = `http://127.0.0.1:${config.apiPort}`;
  const logs = relative(process.cwd(), `${config.dataDir}/logs`);
  const curl =
    operatorKey === null
      ? 'curl -sS -H "authorization: Bearer $OPERATOR_KEY"'
      : `curl -sS -H 'authorization: Bearer ${operatorKey}'`;
  const post = `${curl} -H 'content-type: application/json'`;
  const places: readonly (readonly [string, string])[] = [
    ['console', `${api}/console  (sign in with the operator key)`],
    ...(connectUrl === undefined ? [] : [['connect page', connectUrl] as const]),
    ['API', api],
    [
      'Temporal UI',
      config.temporalAddress === undefined
        ? `http://127.0.0.1:${config.temporalUiPort}`
        : `that of ${config.temporalAddress}`,
    ],
    ...(config.embeddedSimulator ? [['simulated Gladly', `http://127.0.0.1:${config.simulatorPort}`] as const] : []),
    ...(config.realSqs === undefined ? [] : [['SQS', `your own, because ${config.realSqs} is set`] as const]),
    ...(config.databaseUrl === undefined ? [] : [['Postgres', 'your own, because DATABASE_URL is set'] as const]),
    ...(demo !== null ? [['demo tenant', `${api}/v1/tenants/${DEMO_TENANT}`] as const] : []),
    ['operator key', operatorKey ?? 'yours, of OPERATOR_KEYS ($OPERATOR_KEY in what is below)'],
    ['logs', logs],
  ];
  const tenant = `${api}/v1/tenants/${demo === null ? 'TENANT' : DEMO_TENANT}`;
  const commands: readonly (readonly [string, string])[] = [
    ['status', `${curl} ${tenant}`],
    ['pause', `${post} -d '{"reason":"a look around"}' ${tenant}/pause`],
    ['resume', `${post} -d '{}' ${tenant}/resume`],
  ];
  const lines = (pairs: readonly (readonly [string, string])[]): string[] =>
    pairs.map(([name, text]) => `  ${name.padEnd(18)}${text}`);
  return [
    '',
    `Idiomatic for Gladly runs (after ${seconds(elapsedMs)})`,
    '',
    ...lines(places),
    '',
    ...lines(commands),
    '',
    ...(demo === null
      ? []
      : [
          `To connect a second tenant to the simulated Gladly: make it at ${api}/console/new, open its link, and enter`,
          ...lines([
            ['domain', demo.domain],
            ['email', demo.email],
            ['API token', demo.apiToken],
          ]),
          '',
        ]),
    'Ctrl-C stops everything; the next start goes on from there.',
    '',
  ].join('\n');
}
