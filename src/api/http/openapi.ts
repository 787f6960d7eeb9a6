import { z } from 'zod';
import type { Endpoint } from './endpoints.ts';

type Json = Record<string, unknown>;

const PROBLEM = {
  description: 'Problem details (RFC 9457) with a stable `code`.',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          code: { type: 'string' },
          detail: { type: 'string' },
          requestId: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              required: ['field', 'message'],
              properties: { field: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
      },
    },
  },
};

/** The operators' API as an OpenAPI 3.1 document, made from what serves it. */
export function openApi(endpoints: readonly Endpoint[], publicUrl: string): Json {
  const paths: Record<string, Json> = {};
  for (const one of endpoints) {
    const path = one.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [one.method]: operation(one) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Idiomatic for Gladly',
      version: '1',
      description: 'Connect customers, pause and resume, and read what was extracted.',
    },
    servers: [{ url: publicUrl }],
    security: [{ operatorKey: [] }],
    components: { securitySchemes: { operatorKey: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

function operation({ path, summary, needs, body, query, status }: Endpoint): Json {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = query ? queryParameters(query) : [];
  return {
    summary,
    description: needs === 'viewer' ? 'For every operator key.' : 'For keys that may change things.',
    ...(inPath.length + inQuery.length > 0 ? { parameters: [...inPath, ...inQuery] } : {}),
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: { [status]: { description: 'Done, or accepted.' }, default: PROBLEM },
  };
}

/** No body counts as `{}` (input.ts), so it is required where that does not fit. */
function requestBody(body: z.ZodType): Json {
  return {
    required: !body.safeParse({}).success,
    content: { 'application/json': { schema: z.toJSONSchema(body, { io: 'input' }) } },
  };
}

function queryParameters(query: z.ZodType): Json[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' }) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}
