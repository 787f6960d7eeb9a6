import { errors } from 'undici';
import { ADDRESS_REFUSED } from './connect.ts';
import type { ConnectionFault } from './errors.ts';

/** `timeout`: the connection took too long. `not_http`: what answered speaks another language. */
type NetworkFault = ConnectionFault | 'timeout' | 'not_http';

/** What broke a request, from the error of the socket; null when it is not one of the network, and so a fault of ours. */
export function networkFault(error: unknown): NetworkFault | null {
  for (const code of codesOf(error)) {
    const fault = BY_CODE[code] ?? (TLS_CODE.test(code) ? 'tls' : code.startsWith('HPE_') ? 'not_http' : undefined);
    if (fault) return fault;
  }
  return null;
}

const BY_CODE: Readonly<Record<string, NetworkFault>> = {
  [ADDRESS_REFUSED]: 'address_refused',
  ENOTFOUND: 'name_not_found',
  ENODATA: 'name_not_found',
  EAI_NONAME: 'name_not_found',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ETIMEOUT: 'dns', // the resolver's own time limit, unlike ETIMEDOUT
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'reset',
  ENETUNREACH: 'reset',
  EADDRNOTAVAIL: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'not_http',
  UND_ERR_CLOSED: 'reset',
  UND_ERR_DESTROYED: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

/** OpenSSL's and Node's names for whatever is wrong with a certificate or a handshake. */
const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|ERROR_IN_CERT|EPROTO)/;

/** The codes of the error and of what caused it: both families may have been tried (an AggregateError), each with its own. */
function* codesOf(error: unknown, depth = 0): Generator<string> {
  if (!(error instanceof Error) || depth > 3) return;
  if ('code' in error && typeof error.code === 'string') yield error.code;
  else if (error instanceof errors.HTTPParserError) yield 'HPE_UNKNOWN'; // the parser has no name for some of them
  if (error instanceof AggregateError) for (const it of error.errors) yield* codesOf(it, depth + 1);
  yield* codesOf(error.cause, depth + 1);
}
