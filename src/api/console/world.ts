import type { Once } from '../pages/once.ts';
import type { Access } from './access.ts';
import type { Overview } from './overview.ts';
import type { ConsoleParts } from './routes.ts';

/** What the routes of the console work with. */
export interface ConsoleWorld extends ConsoleParts {
  readonly access: Access;
  readonly overview: Overview;
  readonly once: Once;
  readonly shownOnce: Once;
}
