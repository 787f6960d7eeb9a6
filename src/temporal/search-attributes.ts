import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';

/** As Temporal's API numbers the types that we use. */
const TYPES = { KEYWORD: 2, DATETIME: 6 } as const;
const NAMES = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;

/** Temporal's namespace has not the search attributes that workflows are started with: every start would fail, and every write of one. */
export class SearchAttributesError extends Error {
  override readonly name = 'SearchAttributesError';
}

/**
 * Sees to it that the namespace has our search attributes, with their types: missing ones are made where that is allowed. Throws
 * SearchAttributesError with the command that makes them, or names those that have another type.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes, systemAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const known: Readonly<Record<string, number>> = { ...systemAttributes, ...customAttributes };
  const wanted = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({
    name,
    type: type === 'DATETIME' ? ('DATETIME' as const) : ('KEYWORD' as const),
  }));
  const wrong = wanted.filter(({ name, type }) => known[name] !== undefined && known[name] !== TYPES[type]);
  if (wrong.length > 0) {
    const texts = wrong.map(({ name, type }) => `${name} must be of type ${NAMES[type]}`);
    throw new SearchAttributesError(
      `Search attributes of the namespace ${namespace} have another type: ${texts.join(', ')}`,
    );
  }
  const missing = wanted.filter(({ name }) => known[name] === undefined);
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map(({ name, type }) => [name, TYPES[type]]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    const options = missing.map(({ name, type }) => `--name ${name} --type ${NAMES[type]}`).join(' ');
    throw new SearchAttributesError(
      `The namespace ${namespace} lacks search attributes, and they cannot be made from here. Make them: temporal operator search-attribute create --namespace ${namespace} ${options}`,
      { cause: error },
    );
  }
}
