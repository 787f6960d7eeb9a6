import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

export interface TemporalUiOptions {
  /** Where people find Temporal UI, on 127.0.0.1. */
  readonly port: number;
  /** Where the Temporal CLI serves it. */
  readonly innerPort: number;
  /** Of the API. */
  readonly apiUrl: string;
}

const SETTINGS = '/api/v1/settings';

/**
 * Temporal UI as the Temporal CLI serves it, with the settings that the CLI has no flags for: that the browser sends the console's cookie to
 * the codec server, what to do when it has none, and no buttons that do harm. A Temporal UI of one's own reads the same from its environment: docs/operators.md.
 */
export function serveTemporalUi({ port, innerPort, apiUrl }: TemporalUiOptions): Server {
  const codec = {
    Endpoint: `${apiUrl}/codec`,
    PassAccessToken: false,
    IncludeCredentials: true,
    DefaultErrorMessage:
      'Payloads are encrypted. Sign in to the console as an operator (a viewer cannot read them), then reload this page.',
    DefaultErrorLink: `${apiUrl}/console`,
  };
  // Both would stop an extraction in ways of Temporal's own; people shall use the signals pause and resume, and the console to disconnect.
  const settings = { Codec: codec, WorkflowPauseDisabled: true, WorkflowCancelDisabled: true };
  return createServer((incoming, answer) => {
    const isSettings = incoming.method === 'GET' && incoming.url?.split('?')[0] === SETTINGS;
    const forward = request(
      {
        ...{ host: '127.0.0.1', port: innerPort, method: incoming.method, path: incoming.url },
        headers: isSettings ? { ...incoming.headers, 'accept-encoding': 'identity' } : incoming.headers,
      },
      (inner) => void (isSettings ? answerSettings(inner, answer, settings) : passOn(inner, answer)),
    );
    forward.on('error', () => {
      if (!answer.headersSent) answer.writeHead(502);
      answer.end();
    });
    // A browser that goes away must not leave a request behind.
    answer.once('close', () => forward.destroy());
    incoming.pipe(forward);
  }).listen(port, '127.0.0.1');
}

function passOn(inner: IncomingMessage, answer: ServerResponse): void {
  answer.writeHead(inner.statusCode ?? 502, inner.headers);
  // Whichever side breaks off first, the other is closed too.
  pipeline(inner, answer, () => undefined);
}

async function answerSettings(inner: IncomingMessage, answer: ServerResponse, settings: object): Promise<void> {
  try {
    const given: unknown = JSON.parse(Buffer.concat(await inner.toArray()).toString('utf8'));
    answer
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(Object.assign({}, given, settings)));
  } catch {
    answer.writeHead(502).end();
  }
}
