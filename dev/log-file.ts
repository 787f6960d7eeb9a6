import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A part's log and the one before it: 2 × 8 MB are a day's worth of warnings, and never a full disk. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Appends to a file; when that is full it becomes `FILE.1` and a new one begins. */
export class LogFile {
  readonly path: string;
  readonly #maxBytes: number;
  #fd: number;
  #size: number;

  constructor(path: string, maxBytes = MAX_BYTES) {
    mkdirSync(dirname(path), { recursive: true });
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#fd = openSync(path, 'a');
    this.#size = statSync(path).size;
  }

  write(text: string | Buffer): void {
    if (this.#size >= this.#maxBytes) this.#turn();
    this.#size += typeof text === 'string' ? writeSync(this.#fd, text) : writeSync(this.#fd, text);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #turn(): void {
    closeSync(this.#fd);
    renameSync(this.path, `${this.path}.1`);
    this.#fd = openSync(this.path, 'a');
    this.#size = 0;
  }
}
