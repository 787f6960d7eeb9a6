import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFauxqs } from 'fauxqs';
import { startElasticMq } from './elasticmq.ts';

/** An SQS emulator on this machine, on its own port. */
export interface Emulator {
  readonly endpoint: string;
  stop(): Promise<void>;
}

export interface EmulatorKind {
  readonly name: string;
  /** False for ElasticMQ: it accepts MessageRetentionPeriod, does not return it, and keeps messages forever. */
  readonly hasRetention: boolean;
  start(): Promise<Emulator>;
}

const fauxqs: EmulatorKind = {
  name: 'fauxqs',
  hasRetention: true,
  async start() {
    const server = await startFauxqs({ port: 0, logger: false });
    return { endpoint: server.address, stop: () => server.stop() };
  },
};

/** As in `npm start`: it stores messages in SQLite, with which some calls behave differently. */
const fauxqsOnDisk: EmulatorKind = {
  name: 'fauxqs with a folder',
  hasRetention: true,
  async start() {
    const dataDir = await mkdtemp(join(tmpdir(), 'fauxqs-'));
    const server = await startFauxqs({ port: 0, logger: false, dataDir });
    return {
      endpoint: server.address,
      stop: async () => {
        await server.stop();
        await rm(dataDir, { recursive: true });
      },
    };
  },
};

const elasticMq: EmulatorKind = { name: 'ElasticMQ', hasRetention: false, start: startElasticMq };

/** By the lane (vitest.config.ts). ElasticMQ needs Java and Maven; where they are missing, the e2e lane fails and says so. */
export const emulators: readonly EmulatorKind[] =
  process.env['SQS_EMULATORS'] === 'elasticmq' ? [elasticMq] : [fauxqs, fauxqsOnDisk];
