import { SQSClient } from '@aws-sdk/client-sqs';

export interface SqsSettings {
  /** An emulator or a VPC endpoint; AWS's own address for the region when absent. */
  readonly endpoint?: string;
  readonly region: string;
}

/**
 * Two clients, because a long poll holds its connection for up to 20 s: hundreds of them must not keep a delete or a send from a
 * connection. Credentials come from AWS's own chain (environment, profile, container, instance).
 */
export interface SqsClients {
  readonly settings: SqsSettings;
  /** Everything that answers at once. */
  readonly control: SQSClient;
  /** Long polls only. */
  readonly polls: SQSClient;
  close(): void;
}

export function createSqsClients(given: SqsSettings): SqsClients {
  const endpoint = given.endpoint ?? process.env['AWS_ENDPOINT_URL_SQS'] ?? process.env['AWS_ENDPOINT_URL'];
  const settings: SqsSettings = endpoint === undefined ? { region: given.region } : { endpoint, region: given.region };
  const control = new SQSClient({
    ...settings,
    requestHandler: {
      // Connecting within the region takes milliseconds, so a host that swallows packets is found out here; but an emulator that shares
      // two busy cores with everything else was seen to take more than one second.
      connectionTimeout: 3_000,
      // SQS answers in tens of milliseconds; what takes 5 s is lost, and all of these calls may be made twice.
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: 50 },
      httpsAgent: { keepAlive: true, maxSockets: 50 },
    },
    // The SDK's own backoff between them: below a second together. What lasts longer is Temporal's to retry.
    maxAttempts: 3,
  });
  const polls = new SQSClient({
    ...settings,
    requestHandler: {
      connectionTimeout: 3_000,
      // The longest poll is 20 s; then as long as any other call.
      requestTimeout: 25_000,
      throwOnRequestTimeout: true,
      // 100 drains with a few receives each, all at once.
      httpAgent: { keepAlive: true, maxSockets: 1_000 },
      httpsAgent: { keepAlive: true, maxSockets: 1_000 },
      // A poll that waits for a socket has not begun to wait for messages; no warning is needed.
      socketAcquisitionWarningTimeout: 60_000,
    },
    // The intake loop polls again anyway, with its own backoff.
    maxAttempts: 1,
  });
  return {
    settings,
    control,
    polls,
    close: () => {
      control.destroy();
      polls.destroy();
    },
  };
}
