-- Agents, inboxes, teams and topics, as Gladly last listed them.
CREATE TABLE reference_entries (
  tenant_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  entry_id text COLLATE "C" NOT NULL,
  name text,
  raw jsonb NOT NULL,
  fetched_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, kind, entry_id)
);
-- When a kind was last listed: a list may be empty.
CREATE TABLE reference_fetches (
  tenant_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  fetched_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, kind)
);

-- Proof of the webhook: which kinds of events came, and with which key.
CREATE TABLE sightings (
  tenant_id text COLLATE "C" NOT NULL,
  type text NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, type, key_id)
);

CREATE TABLE measurements (
  tenant_id text COLLATE "C" NOT NULL,
  minute timestamptz NOT NULL,
  accepted integer NOT NULL DEFAULT 0,
  extracted integer NOT NULL DEFAULT 0,
  waiting integer,
  -- Events by freshness: src/store/histogram.ts. Percentiles of several writers cannot be added, buckets can.
  freshness integer[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, minute)
);
CREATE INDEX measurements_by_minute ON measurements (minute);
