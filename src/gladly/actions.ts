/** What each request does, in the words of a customer: `may not {action}`. By method and path template. */
const ACTIONS: Readonly<Record<string, string>> = {
  'GET /api/v1/organization': 'see the organization',
  'GET /api/v1/agents': 'see the users',
  'GET /api/v1/inboxes': 'see the inboxes',
  'GET /api/v1/teams': 'see the teams',
  'GET /api/v1/topics': 'see the topics',
  'GET /api/v1/conversations/{id}': 'read conversations',
  'GET /api/v1/conversations/{id}/items': 'read conversations',
  'GET /api/v1/conversations/{id}/notes/{noteId}': 'read notes',
  'GET /api/v1/conversation-items/{id}': 'read conversations',
  'GET /api/v1/webhooks': 'see the webhooks',
  'GET /api/v1/webhooks/{id}': 'see the webhooks',
  'POST /api/v1/webhooks': 'create webhooks',
  'PATCH /api/v1/webhooks/{id}': 'change webhooks',
  'DELETE /api/v1/webhooks/{id}': 'delete webhooks',
  'POST /api/v1/reports': 'create reports',
};

export function actionOf(method: string, path: string): string {
  return ACTIONS[`${method} ${path}`] ?? `use ${method} ${path}`;
}
