import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type Role, roleSchema } from '../model.ts';
import { type Row, text } from './database.ts';

export type User = { id: string; name: string; email: string; roles: Role[] };

/** Gladly's users and their API tokens. A token is bound to one user (gladly.md 2.1); only its hash is kept. */
export type Users = {
  add(user: User): void;
  get(id: string): User | undefined;
  list(): User[];
  setRoles(id: string, roles: readonly Role[]): void;
  addToken(tokenId: string, userId: string, token: string): void;
  /** Returns false when there is no such token. */
  revokeToken(tokenId: string): boolean;
  tokenIds(userId: string): string[];
  /** The user whom this token belongs to. */
  byToken(token: string): User | undefined;
};

const rolesSchema = z.array(roleSchema);

export function createUsers(database: DatabaseSync): Users {
  const insert = database.prepare('INSERT INTO users (id, name, email, roles) VALUES (?, ?, ?, ?)');
  const byId = database.prepare('SELECT * FROM users WHERE id = ?');
  const all = database.prepare('SELECT * FROM users ORDER BY rowid');
  const updateRoles = database.prepare('UPDATE users SET roles = ? WHERE id = ?');
  const insertToken = database.prepare('INSERT INTO tokens (id, hash, user_id) VALUES (?, ?, ?)');
  const deleteToken = database.prepare('DELETE FROM tokens WHERE id = ?');
  const tokensOf = database.prepare('SELECT id FROM tokens WHERE user_id = ? ORDER BY rowid');
  const owner = database.prepare('SELECT users.* FROM tokens JOIN users ON users.id = user_id WHERE hash = ?');

  return {
    add: (user) => void insert.run(user.id, user.name, user.email, JSON.stringify(user.roles)),
    get: (id) => toUser(byId.get(id)),
    list: () => all.all().flatMap((row) => toUser(row) ?? []),
    setRoles: (id, roles) => void updateRoles.run(JSON.stringify(roles), id),
    addToken: (tokenId, userId, token) => void insertToken.run(tokenId, hash(token), userId),
    revokeToken: (tokenId) => deleteToken.run(tokenId).changes === 1,
    tokenIds: (userId) => tokensOf.all(userId).map((row) => text(row, 'id')),
    byToken: (token) => toUser(owner.get(hash(token))),
  };
}

function toUser(row: Row | undefined): User | undefined {
  if (row === undefined) return undefined;
  const roles = rolesSchema.parse(JSON.parse(text(row, 'roles')));
  return { id: text(row, 'id'), name: text(row, 'name'), email: text(row, 'email'), roles };
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
