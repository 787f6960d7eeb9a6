/**
 * Postgres' frontend messages, cut out of a byte stream. The first messages of a connection have no type byte
 * (https://www.postgresql.org/docs/17/protocol-message-formats.html); all later ones are type byte, length, body.
 */
export type Frame =
  | { readonly kind: 'startup' | 'ssl' | 'cancel' }
  | { readonly kind: 'message'; readonly type: string; readonly bytes: Buffer };

/** The codes that a first message carries where a start-up message carries its protocol version. */
const CANCEL_REQUEST = 80_877_102;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

/** Larger than any statement of ours by far; a length beyond it is not Postgres' protocol at all. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #started = false;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole frame, or undefined when more bytes are needed. Throws ProtocolError. */
  next(): Frame | undefined {
    const typeBytes = this.#started ? 1 : 0;
    if (this.#size < typeBytes + 4) return undefined;
    const head = this.#joined();
    const length = head.readInt32BE(typeBytes);
    if (length < 4 || length > MAX_MESSAGE_BYTES) throw new ProtocolError(`a message of ${length} bytes`);
    if (head.length < typeBytes + length) return undefined;
    const bytes = head.subarray(0, typeBytes + length);
    this.#chunks = [head.subarray(typeBytes + length)];
    this.#size = head.length - bytes.length;
    return this.#started ? { kind: 'message', type: String.fromCharCode(bytes[0] ?? 0), bytes } : this.#first(bytes);
  }

  #first(bytes: Buffer): Frame {
    if (bytes.length < 8) throw new ProtocolError('a first message without a protocol version');
    const code = bytes.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'ssl' };
    if (code === CANCEL_REQUEST) return { kind: 'cancel' };
    this.#started = true;
    return { kind: 'startup' };
  }

  /** Joining only when a length is known to be needed keeps a large message, in many chunks, from being copied for each. */
  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const joined = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [joined];
    return joined;
  }
}
