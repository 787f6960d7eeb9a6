import { pino } from 'pino';

export type Logger = pino.Logger;

/** What must never be read in a log, wherever it stands in a logged object. */
const SECRETS = ['apiToken', 'webhookKey', 'authorization', 'x-api-key', 'password', 'token', 'email', 'cookie'];

/** JSON lines on stdout. `part` is api, worker or simulator. */
export function createLogger(part: string, level = 'info'): Logger {
  return pino({
    level,
    base: { part },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
  });
}
