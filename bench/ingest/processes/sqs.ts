/** The SQS emulator, in memory. */
import { startFauxqs } from 'fauxqs';
import { serveUsage } from './child.ts';

const server = await startFauxqs({ port: 0, logger: false });
serveUsage(server.port);
