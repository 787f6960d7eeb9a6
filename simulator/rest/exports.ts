import { json } from './answer.ts';
import { notFound } from './directory.ts';
import type { Route } from './router.ts';

/** Export jobs: an organization that has none yet. Schedules are set up by Gladly Support only (gladly.md 3). */
export function exportRoutes(): Route[] {
  return [
    { method: 'GET', path: '/api/v1/export/schedules', handle: () => json(200, []) },
    { method: 'GET', path: '/api/v1/export/jobs', handle: () => json(200, []) },
    { method: 'GET', path: '/api/v1/export/jobs/:id', handle: ({ params }) => notFound('job', params['id']) },
  ];
}
