/** The stored histories are encrypted under this key, which encrypts nothing else: 32 times the letter h. */
const KEY = Buffer.alloc(32, 'h').toString('base64');

export const HISTORY_KEYS = `histories:${KEY}`;
export const historyKeys = [{ id: 'histories', key: KEY }] as const;
