-- What a person is told of a tenant, as its two workflows last wrote it (src/tenants/projection.ts), and its place in the list. One row a tenant.
CREATE TABLE tenant_states (
  tenant_id text COLLATE "C" PRIMARY KEY,
  -- OnboardingStatus (src/contracts/onboarding.ts); null until the workflow has written it. `run` and `seq` keep an older write from replacing a newer.
  onboarding jsonb,
  onboarding_run text COLLATE "C",
  onboarding_seq integer NOT NULL DEFAULT 0,
  onboarding_at timestamptz,
  -- ExtractionView (src/contracts/extraction.ts).
  extraction jsonb,
  extraction_run text COLLATE "C",
  extraction_seq integer NOT NULL DEFAULT 0,
  extraction_at timestamptz,
  -- Index into GROUPS (src/tenants/standing.ts): what needs a person first comes first.
  need smallint NOT NULL,
  -- Percent of the retention that the oldest waiting event has used up, as the sweep found it.
  urgency smallint NOT NULL DEFAULT 0,
  -- When the first event would be lost; null while the queue is being emptied.
  loses_at timestamptz
);
CREATE INDEX tenant_states_by_need ON tenant_states (need, urgency DESC, loses_at, tenant_id);
INSERT INTO tenant_states (tenant_id, need, urgency)
SELECT tenant_id, CASE state WHEN 'connecting' THEN 3 WHEN 'connected' THEN 4 ELSE 5 END, retention_alert FROM tenants;

-- Worker processes, each of which says every few seconds that it is there.
CREATE TABLE workers (
  worker text COLLATE "C" PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);
