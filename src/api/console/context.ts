import type { Config } from '../../config.ts';
import type { Db } from '../../store/db.ts';
import type { Tenants } from '../../tenants/commands.ts';
import type { ReadModel } from '../../tenants/read-model.ts';
import type { RefusedKeys } from '../http/refused-keys.ts';
import type { LiveUpdates } from '../pages/live.ts';
import type { Once } from '../pages/once.ts';
import type { Access } from './access.ts';
import type { Sessions } from './sessions.ts';

export interface ConsoleDeps {
  readonly db: Db;
  readonly tenants: Tenants;
  readonly read: ReadModel;
  readonly sessions: Sessions;
  readonly live: LiveUpdates;
  readonly refusedKeys: RefusedKeys;
  readonly config: Pick<Config, 'PUBLIC_URL' | 'TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE'>;
}

/** What the routes of the console work with. */
export interface ConsoleContext extends ConsoleDeps {
  readonly access: Access;
  readonly once: Once;
  readonly shownOnce: Once;
}
