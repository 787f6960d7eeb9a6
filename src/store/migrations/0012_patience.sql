-- By Postgres's clock, like all that is compared with now().
-- When an event was first looked for and not found; null: not yet, or not since it was brought back.
ALTER TABLE events ADD COLUMN missed_at timestamptz;
-- Since when readings of a conversation fail in a row.
ALTER TABLE pending_conversations ADD COLUMN failing_since timestamptz;
