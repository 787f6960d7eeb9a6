-- Customers that were merged into others, until all of their conversations are to be read anew (src/store/ledger/merges.ts).
CREATE TABLE customer_merges (
  tenant_id text COLLATE "C" NOT NULL,
  -- What told of it.
  event_id text COLLATE "C" NOT NULL,
  -- The customer that is no more.
  source_customer_id text COLLATE "C" NOT NULL,
  -- A conversation of theirs that the event names; it need not be stored.
  source_conversation_id text COLLATE "C",
  received_at timestamptz NOT NULL,
  -- Conversations up to this one are to be read anew already.
  after_conversation_id text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX conversations_of_customer ON conversations (tenant_id, customer_id, conversation_id);

-- `merged`: no delivery, but made from one that told of a merge. NOT VALID: rows that are there came in fewer ways.
ALTER TABLE events DROP CONSTRAINT events_way_check;
ALTER TABLE events ADD CONSTRAINT events_way_check CHECK (way IN ('queue', 'direct', 'merged')) NOT VALID;

-- The id under which a conversation goes on that is gone under its own.
ALTER TABLE conversations ADD COLUMN moved_to text COLLATE "C";
