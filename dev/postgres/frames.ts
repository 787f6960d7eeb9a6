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

/** Type byte and length. */
const HEAD_BYTES = 5;

/**
 * Cuts a byte stream into frames. A message is copied once, when all of it is there: until then its chunks lie side by side, so that n bytes in
 * chunks of any size cost n.
 */
export class FrameReader {
  /** Received, and not yet part of a frame. */
  #chunks: Buffer[] = [];
  #size = 0;
  /** Of the frame that is being received, its head included; null until its length has come. */
  #wanted: number | null = null;
  #started = false;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole frame, or undefined when more bytes are needed. Throws ProtocolError. */
  next(): Frame | undefined {
    this.#wanted ??= this.#frameLength();
    if (this.#wanted === null || this.#size < this.#wanted) return undefined;
    const bytes = this.#take(this.#wanted);
    this.#wanted = null;
    return this.#started ? { kind: 'message', type: String.fromCharCode(bytes[0] ?? 0), bytes } : this.#first(bytes);
  }

  /** Of the next frame, in bytes; null until its head has come. The first messages have no type byte. */
  #frameLength(): number | null {
    const typeBytes = this.#started ? 1 : 0;
    if (this.#size < typeBytes + 4) return null;
    const head = this.#take(Math.min(this.#size, HEAD_BYTES));
    this.#chunks.unshift(head);
    this.#size += head.length;
    const length = head.readInt32BE(typeBytes);
    if (length < 4 || length > MAX_MESSAGE_BYTES) throw new ProtocolError(`a message of ${length} bytes`);
    return typeBytes + length;
  }

  /** Removes so many bytes, which are there, from the front. A whole chunk, or a part of one, is not copied. */
  #take(size: number): Buffer {
    const taken: Buffer[] = [];
    let left = size;
    let used = 0;
    for (; left > 0; used += 1) {
      const chunk = this.#chunks[used] ?? Buffer.alloc(0);
      if (chunk.length > left) {
        taken.push(chunk.subarray(0, left));
        this.#chunks[used] = chunk.subarray(left);
        break;
      }
      taken.push(chunk);
      left -= chunk.length;
    }
    this.#chunks.splice(0, used);
    this.#size -= size;
    const [only] = taken;
    return only !== undefined && taken.length === 1 ? only : Buffer.concat(taken, size);
  }

  #first(bytes: Buffer): Frame {
    if (bytes.length < 8) throw new ProtocolError('a first message without a protocol version');
    const code = bytes.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'ssl' };
    if (code === CANCEL_REQUEST) return { kind: 'cancel' };
    this.#started = true;
    return { kind: 'startup' };
  }
}
