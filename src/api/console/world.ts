import type { Client } from '@temporalio/client';
import type { Config } from '../../config.ts';
import type { Queues } from '../../queue/provision.ts';
import type { Db } from '../../store/db.ts';
import type { Tenants } from '../../tenants/commands.ts';
import type { Overview } from '../../tenants/overview.ts';
import type { TenantWorkflows } from '../../tenants/workflows.ts';
import type { LiveUpdates } from '../pages/live.ts';
import type { Once } from '../pages/once.ts';
import type { Access } from './access.ts';
import type { Sessions } from './sessions.ts';

export interface ConsoleParts {
  readonly db: Db;
  readonly queues: Queues;
  readonly tenants: Tenants;
  readonly workflows: TenantWorkflows;
  readonly client: Client;
  readonly sessions: Sessions;
  readonly live: LiveUpdates;
  readonly config: Pick<Config, 'PUBLIC_URL' | 'QUOTA_SHARE' | 'TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE'>;
}

/** What the routes of the console work with. */
export interface ConsoleWorld extends ConsoleParts {
  readonly access: Access;
  readonly overview: Overview;
  readonly once: Once;
  readonly shownOnce: Once;
}
