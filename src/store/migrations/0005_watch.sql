-- When the queue was last seen empty: whatever is in it came after that, so it says how long the oldest may have waited.
ALTER TABLE drains ADD COLUMN queue_empty_at timestamptz;

-- What Gladly sent that this code does not know: kept raw, and counted here.
CREATE TABLE drift (
  tenant_id text COLLATE "C" NOT NULL,
  what text COLLATE "C" NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, what)
);
