import { Buffer } from 'node:buffer';
import { createHash, createHmac, hash } from 'node:crypto';

type Bytes = string | ArrayBuffer | ArrayBufferView;

/** SHA-256, or HMAC-SHA-256 when there is a secret, in the shape that AWS's signer expects. */
export class NodeSha256 {
  readonly #hash;

  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', view(secret));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  /** Never called: the signer creates a new object for each hash. */
  reset(): void {
    throw new Error('NodeSha256 cannot be reset');
  }
}

/** 64 lower-case hex digits. */
export const sha256Hex = (data: Buffer): string => hash('sha256', data, 'hex');

function view(data: Bytes): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}
