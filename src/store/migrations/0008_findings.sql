-- What the sweep or a drain found wrong with a tenant's queue or ledger: problems (src/contracts/problems.ts), each with since when.
ALTER TABLE tenant_states ADD COLUMN findings jsonb NOT NULL DEFAULT '[]';

-- The highest retention_alert that the tenant's extraction was told of. It is told again until it has been.
ALTER TABLE tenants ADD COLUMN retention_alert_told integer NOT NULL DEFAULT 0;
UPDATE tenants SET retention_alert_told = retention_alert WHERE retention_alert > 0;

-- `ignored`: not about a conversation, or somebody has looked at it and discarded it. NOT VALID: rows that are there have fewer states.
ALTER TABLE events DROP CONSTRAINT events_state_check;
ALTER TABLE events ADD CONSTRAINT events_state_check CHECK (state IN ('waiting', 'extracted', 'gone', 'rejected', 'ignored')) NOT VALID;
ALTER TABLE tenant_counters ADD COLUMN ignored bigint NOT NULL DEFAULT 0;
CREATE INDEX events_ignored ON events (done_at) WHERE state = 'ignored';
