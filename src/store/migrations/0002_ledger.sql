-- One row a tenant, locked last in each transaction that changes it. Its order of commits is the order of the feed.
CREATE TABLE tenant_counters (
  tenant_id text COLLATE "C" PRIMARY KEY,
  -- Rows of the ledger in each state; a test holds them against count(*).
  waiting bigint NOT NULL DEFAULT 0,
  extracted bigint NOT NULL DEFAULT 0,
  gone bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,
  -- Rows that were done and have been removed since.
  trimmed bigint NOT NULL DEFAULT 0,
  last_feed_seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The ledger. Body is what was delivered, byte by byte: it may be no UTF-8, and JSON that jsonb refuses.
CREATE TABLE events (
  tenant_id text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  type text,
  conversation_id text COLLATE "C",
  item_id text COLLATE "C",
  customer_id text COLLATE "C",
  -- Gladly's clock.
  event_at timestamptz,
  -- Accepted by the webhook endpoint.
  received_at timestamptz NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now(),
  state text NOT NULL CHECK (state IN ('waiting', 'extracted', 'gone', 'rejected')),
  reason text,
  attempts integer NOT NULL DEFAULT 0,
  way text NOT NULL CHECK (way IN ('queue', 'direct')),
  body bytea NOT NULL,
  done_at timestamptz,
  PRIMARY KEY (tenant_id, event_id),
  CHECK (state <> 'waiting' OR conversation_id IS NOT NULL)
);
CREATE INDEX events_waiting ON events (tenant_id, conversation_id) WHERE state = 'waiting';
CREATE INDEX events_rejected ON events (tenant_id, event_id) WHERE state = 'rejected';
CREATE INDEX events_done ON events (done_at) WHERE state IN ('extracted', 'gone');

-- The work queue: one row a conversation with waiting events, so that picking costs the same with 100 or 100,000 of them.
CREATE TABLE pending_conversations (
  tenant_id text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  waiting integer NOT NULL,
  -- Of its waiting events.
  first_received_at timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz,
  reason text,
  PRIMARY KEY (tenant_id, conversation_id)
) WITH (fillfactor = 70);
CREATE INDEX pending_by_age ON pending_conversations (tenant_id, first_received_at) WHERE not_before IS NULL;
CREATE INDEX postponed_by_time ON pending_conversations (tenant_id, not_before) WHERE not_before IS NOT NULL;
CREATE INDEX postponed_by_age ON pending_conversations (tenant_id, first_received_at) WHERE not_before IS NOT NULL;

CREATE TABLE drains (
  tenant_id text COLLATE "C" PRIMARY KEY,
  fence bigint NOT NULL DEFAULT 0,
  holder text,
  began_at timestamptz,
  parked_at timestamptz,
  -- What the drain sees, for the status.
  gladly_waiting_since timestamptz,
  problem_code text,
  last_activity_at timestamptz
);
CREATE INDEX drains_parked ON drains (tenant_id) WHERE parked_at IS NOT NULL;
