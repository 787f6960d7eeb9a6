-- Ids are compared byte by byte (COLLATE "C"): the order of pages does not depend on the machine's locale.
CREATE TABLE tenants (
  tenant_id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  state text NOT NULL,
  disconnected_at timestamptz,
  retention_days integer NOT NULL CHECK (retention_days BETWEEN 1 AND 14),
  retention_policy text NOT NULL DEFAULT 'extend' CHECK (retention_policy IN ('extend', 'archive', 'alert')),
  -- The highest level, in percent of the retention, for which an alert is up.
  retention_alert integer NOT NULL DEFAULT 0 CHECK (retention_alert IN (0, 50, 80, 95)),
  queue_url text,
  dead_letter_queue_url text,
  -- Gladly's host in its canonical form, and what GET /organization says.
  host text,
  organization jsonb,
  webhook_setup text NOT NULL DEFAULT 'by_hand',
  -- Of the webhook in Gladly, once it is known.
  webhook_id text,
  credentials_version integer NOT NULL DEFAULT 0,
  adopted_credentials_version integer,
  -- Connect links carry this number; a higher one withdraws all links made before.
  connect_link_epoch integer NOT NULL DEFAULT 1
);

CREATE TABLE credentials (
  tenant_id text COLLATE "C" NOT NULL REFERENCES tenants,
  version integer NOT NULL,
  host text NOT NULL,
  sealed text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, version)
);

-- No reference to tenants: the keys of a removed tenant stay, revoked, so that every API process learns of it.
CREATE TABLE webhook_keys (
  key_id text COLLATE "C" PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL,
  hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  valid_until timestamptz,
  -- Once that key is seen in use, this one is revoked.
  replaced_by text COLLATE "C",
  first_used_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revision bigint NOT NULL
);
CREATE INDEX webhook_keys_by_tenant ON webhook_keys (tenant_id, created_at);
CREATE INDEX webhook_keys_by_revision ON webhook_keys (revision);
CREATE INDEX webhook_keys_by_replacement ON webhook_keys (replaced_by) WHERE replaced_by IS NOT NULL AND revoked_at IS NULL;

-- One row. A sequence would not do: its numbers become visible in another order than they are given out.
CREATE TABLE webhook_key_revision (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision bigint NOT NULL
);
INSERT INTO webhook_key_revision (revision) VALUES (0);

CREATE TABLE actions (
  action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  by text NOT NULL,
  action text NOT NULL,
  reason text,
  details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX actions_by_tenant ON actions (tenant_id, action_id);
