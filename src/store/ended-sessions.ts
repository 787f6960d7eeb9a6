import type { Db } from './db.ts';

/** Console sessions that were signed out of before they expired. Every process sees the same ones, also after a restart. */
export interface EndedSessions {
  /** Idempotent. `hash` stands for the session, and does not give it away. Throws StoreError. */
  end(hash: string, expiresAt: Date): Promise<void>;
  /** Throws StoreError. */
  isEnded(hash: string): Promise<boolean>;
}

/** The table `ended_sessions`. Those that have expired since are removed when another one ends. */
export function endedSessions(db: Db): EndedSessions {
  return {
    async end(hash, expiresAt) {
      await db.query('DELETE FROM ended_sessions WHERE expires_at <= now()');
      await db.query('INSERT INTO ended_sessions (session_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        hash,
        expiresAt,
      ]);
    },
    async isEnded(hash) {
      const { rows } = await db.query('SELECT FROM ended_sessions WHERE session_hash = $1', [hash]);
      return rows.length > 0;
    },
  };
}
