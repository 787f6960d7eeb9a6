/** Far above any id seen (22 characters). Longer ones would not fit an index. */
const MAX_ID = 200;

// Control characters, NUL among them, and half surrogate pairs: Postgres refuses some of them, and no id has any.
const NO_ID = /\p{Cc}|\p{Surrogate}/u;

/** Whether it can be an id of Gladly's (22 letters, digits, - and _ as far as seen): one that can be stored, and that a path to Gladly can end with. In a path `.` and `..` mean something else. */
export const isId = (id: string): boolean =>
  id.length > 0 && id.length <= MAX_ID && id !== '.' && id !== '..' && !NO_ID.test(id);
