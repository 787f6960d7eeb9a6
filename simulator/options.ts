import type { Logger } from 'pino';
import type { Settings } from './settings.ts';

/** How to start a simulator. All have defaults; a test usually gives none or a seed. */
export type SimulatorOptions = Partial<Settings> & {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: a free one. */
  port?: number;
  /** State goes to DATA_DIR/simulator; null, the default, keeps it in memory. */
  dataDir?: string | null;
  /** The same seed gives the same organization, demo user, events and ids. Default 'gladly'. */
  seed?: string;
  /** Simulated seconds in a real second (clock.ts). Default 1. */
  clockFactor?: number;
  /** How far Gladly's clock is ahead of this machine's when an organization is founded; may be negative. Default 0. */
  clockOffsetMs?: number;
  /** How long after an event what it tells of can be read. Default 0. */
  readLagMs?: number;
  /** Accepts webhooks with plain HTTP. Gladly does not (gladly.md 1.3). Default false. */
  allowHttpWebhooks?: boolean;
  /** Of a new organization. Default 40. */
  customers?: number;
  /** Conversations in the week before a new organization's first start. Default 30. */
  conversations?: number;
  /** How many conversations live at a time. Default 40. */
  liveConversations?: number;
  /** The demo user's address. Default as in demoCredentials(seed). */
  adminEmail?: string;
  /** What GET /organization names. Default the simulator's own URL. */
  gladlyUrl?: string;
  /** Settled deliveries that are kept in the log. Default 200,000. */
  deliveryLogSize?: number;
  log?: Logger;
};
