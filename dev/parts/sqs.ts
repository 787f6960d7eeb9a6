/** Runs alone, as a process of the embedded world: fauxqs, an SQS whose queues and messages are in a folder. Arguments: folder, port. */
import { Server } from 'node:net';
import { startFauxqs } from 'fauxqs';
import { exitUnhealable, exitWithParent, isPortTaken, tellParentReady } from '../../src/roles/parent.ts';

const [folder, port] = process.argv.slice(2);
if (folder === undefined || port === undefined) throw new Error('usage: sqs.ts FOLDER PORT');

exitWithParent();
listenOnLoopbackOnly();
try {
  const server = await startFauxqs({ port: Number(port), dataDir: folder, logger: false });
  const stop = (): void => void server.stop().then(() => process.exit(0));
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, stop);
  tellParentReady({ port: server.port });
} catch (error) {
  if (!isPortTaken(error)) throw error;
  await exitUnhealable(`SQS: port ${port} is taken: set SQS_PORT to another`);
}

/** fauxqs 2.4 always listens on 0.0.0.0; its queues have no lock on them, so the neighbours are kept out here. */
function listenOnLoopbackOnly(): void {
  const listen = Server.prototype.listen;
  Server.prototype.listen = function (this: Server, ...given: unknown[]): Server {
    const [options, ...rest] = given;
    const here = typeof options === 'object' && options !== null ? { ...options, host: '127.0.0.1' } : options;
    return Reflect.apply(listen, this, [here, ...rest]);
  };
}
