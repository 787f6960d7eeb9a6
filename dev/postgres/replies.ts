/** The few backend messages that the server says itself, PGlite not being asked. */

function message(type: string, ...fields: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(fields.map((field) => (typeof field === 'string' ? Buffer.from(`${field}\0`) : field)));
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const int32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeInt32BE(value, 4 * at);
  return bytes;
};

/** AuthenticationCleartextPassword: the connection does not leave this machine. */
export const passwordPlease = (): Buffer => message('R', int32(3));

/** AuthenticationOk, what a client wants to know of the session, and ReadyForQuery. */
export function welcome(serverVersion: string, connection: number): Buffer {
  const parameters = Object.entries({
    server_version: serverVersion,
    server_encoding: 'UTF8',
    client_encoding: 'UTF8',
    DateStyle: 'ISO, MDY',
    integer_datetimes: 'on',
    standard_conforming_strings: 'on',
  });
  return Buffer.concat([
    message('R', int32(0)),
    ...parameters.map(([name, value]) => message('S', name, value)),
    message('K', int32(connection, 0)),
    message('Z', Buffer.from('I')),
  ]);
}

/** An ErrorResponse that ends the connection. */
export function fatal(sqlState: string, text: string): Buffer {
  return message('E', 'SFATAL', 'VFATAL', `C${sqlState}`, `M${text}`, Buffer.from([0]));
}

/** A simple query, as a client would send it. */
export function simpleQuery(sql: string): Buffer {
  return message('Q', sql);
}

/** Ends an extended query that its client has left half-way. */
export function sync(): Buffer {
  return message('S');
}
