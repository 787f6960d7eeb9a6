import type { Role } from '../model.ts';
import type { Answer, ApiRequest } from './answer.ts';

export type Route = {
  method: string;
  /** With `:name` for a segment that varies. */
  path: string;
  /** A role the user needs besides API User. */
  role?: Role;
  handle(request: ApiRequest): Answer | Promise<Answer>;
};

export type Match<R> = { route: R; params: Record<string, string> };

/** Finds the first route for a method and a path; segments are percent-decoded. */
export function matchRoute<R extends { method: string; path: string }>(
  routes: readonly R[],
  method: string,
  path: string,
): Match<R> | undefined {
  const segments = path.split('/');
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = matchPath(route.path.split('/'), segments);
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

function matchPath(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? '';
    if (expected.startsWith(':')) {
      const decoded = decode(actual);
      if (decoded === undefined || decoded === '') return undefined;
      params[expected.slice(1)] = decoded;
    } else if (expected !== actual) return undefined;
  }
  return params;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
