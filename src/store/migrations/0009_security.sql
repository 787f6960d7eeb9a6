-- One life of a tenant. Connect links and sealed credentials are bound to it, so that none of them works for the next tenant of the same id.
-- Rows from before, and those that the release before still makes, have the empty text, as their links and seals say nothing of it.
ALTER TABLE tenants ADD COLUMN incarnation text COLLATE "C" NOT NULL DEFAULT '';

-- Once a tenant is connected, its connect links only show, but for what does not work, and until this time, which an operator sets.
ALTER TABLE tenants ADD COLUMN connect_link_changes_until timestamptz;

-- Whether the first use of this key ends keys that are in use: not when the holder of a connect link made it.
ALTER TABLE webhook_keys ADD COLUMN ends_used boolean NOT NULL DEFAULT true;

-- When the webhook was last called with a wrong key, while nothing came with a right one since.
ALTER TABLE tenant_states ADD COLUMN key_refused_at timestamptz;
CREATE INDEX tenant_states_refused ON tenant_states (tenant_id) WHERE key_refused_at IS NOT NULL;

-- Console sessions that were signed out of before they expired, by a hash of theirs.
CREATE TABLE ended_sessions (
  session_hash text COLLATE "C" PRIMARY KEY,
  expires_at timestamptz NOT NULL
);
