import { SQSClient } from '@aws-sdk/client-sqs';

export interface SqsSettings {
  /** URL of an emulator or a VPC endpoint. Without it, AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL, then AWS's address of the region. */
  readonly endpoint?: string;
  readonly region: string;
}

/**
 * Two clients with separate connections: a long poll holds its connection for up to 20 s, and hundreds of them must not keep deletes
 * and sends waiting.
 */
export interface SqsClients {
  readonly settings: SqsSettings;
  /** For all calls but long polls. */
  readonly control: SQSClient;
  /** For long polls only. */
  readonly polls: SQSClient;
  close(): void;
}

/** Credentials come from AWS's own chain (environment, profile, container, instance) at the first call. */
export function createSqsClients(given: SqsSettings): SqsClients {
  const endpoint = given.endpoint ?? process.env['AWS_ENDPOINT_URL_SQS'] ?? process.env['AWS_ENDPOINT_URL'];
  const settings: SqsSettings = endpoint === undefined ? { region: given.region } : { endpoint, region: given.region };
  const control = new SQSClient({
    ...settings,
    requestHandler: {
      // Connecting within the region takes milliseconds, and a host that drops packets never answers. An emulator on two busy cores was
      // seen to take more than one second.
      connectionTimeout: 3_000,
      // SQS answers in tens of milliseconds, so after 5 s no answer will come. All of these calls may be made twice.
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: 50 },
      httpsAgent: { keepAlive: true, maxSockets: 50 },
    },
    // The SDK waits less than a second in all between them. Temporal retries what lasts longer.
    maxAttempts: 3,
  });
  const polls = new SQSClient({
    ...settings,
    requestHandler: {
      connectionTimeout: 3_000,
      // The longest poll takes 20 s; then 5 s as for any other call.
      requestTimeout: 25_000,
      throwOnRequestTimeout: true,
      // One for each tenant that is awake (DRAIN_SLOTS), and more while it has a backlog.
      httpAgent: { keepAlive: true, maxSockets: 10_000 },
      httpsAgent: { keepAlive: true, maxSockets: 10_000 },
      // The SDK warns of requests that wait for a socket. A poll may wait that long without harm.
      socketAcquisitionWarningTimeout: 60_000,
    },
    // The intake loop polls again by itself, with its own backoff.
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
