-- When an event was first looked for and not found, by Postgres's clock; null: not yet, or not since it was brought back.
ALTER TABLE events ADD COLUMN missed_at timestamptz;

-- Of the waiting events. When they were accepted is by the clock of whoever accepted them, and decides nothing.
ALTER TABLE pending_conversations RENAME COLUMN first_received_at TO first_taken_at;
ALTER TABLE pending_conversations RENAME COLUMN last_received_at TO last_taken_at;
