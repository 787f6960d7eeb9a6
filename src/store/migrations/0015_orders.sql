-- What a drain at work is asked to do: 'stop' (by its workflow) or 'look' at the ledger, into which somebody else has put something. The worker that
-- has the drain takes it away. Nearly always empty: every worker asks twice a second for all its drains.
CREATE TABLE drain_orders (
  tenant_id text COLLATE "C" NOT NULL,
  what text NOT NULL CHECK (what IN ('stop', 'look')),
  PRIMARY KEY (tenant_id, what)
);

-- How long the pauses between a tenant's events are, in ms: how long it pays to stay awake for the next one.
ALTER TABLE drains ADD COLUMN pace_ms integer;
ALTER TABLE drains ADD COLUMN found_at timestamptz;

-- How many drains a worker has at work, so that others take their share.
ALTER TABLE workers ADD COLUMN awake integer NOT NULL DEFAULT 0;
