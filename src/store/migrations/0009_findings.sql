-- What the sweep or a drain found wrong with a tenant's queue or ledger: problems (src/contracts/problems.ts), each with since when.
ALTER TABLE tenant_states ADD COLUMN findings jsonb NOT NULL DEFAULT '[]';

-- The highest retention_alert that the tenant's extraction was told of. It is told again until it has been.
ALTER TABLE tenants ADD COLUMN retention_alert_told integer NOT NULL DEFAULT 0;
UPDATE tenants SET retention_alert_told = retention_alert WHERE retention_alert > 0;
