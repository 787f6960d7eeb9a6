ALTER TABLE tenant_states
  -- What the run before the present one had written last: told to the present one, so that nothing is forgotten when a run begins anew.
  ADD COLUMN onboarding_before jsonb,
  ADD COLUMN extraction_before jsonb,
  -- The last few runs that another has replaced: they write no more.
  ADD COLUMN onboarding_past_runs text[] NOT NULL DEFAULT '{}',
  ADD COLUMN extraction_past_runs text[] NOT NULL DEFAULT '{}',
  -- What each keeps to (OnboardingTunings, ExtractionTuning); null until it has said so.
  ADD COLUMN onboarding_tuning jsonb,
  ADD COLUMN extraction_tuning jsonb;

-- Who asked for the tenant to be disconnected, why, when, and whether waiting events may be deleted (CancelRequest); null while nobody has.
ALTER TABLE tenants ADD COLUMN disconnect_asked jsonb;

-- When all tenants were last looked at. One row.
CREATE TABLE sweeps (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  succeeded_at timestamptz NOT NULL
);
