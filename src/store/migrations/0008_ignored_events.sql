-- Events about no conversation (an agent's status, a finished export) are `ignored`: there is nothing to read for them. They were `rejected` before.
-- NOT VALID: all rows fit the narrower rule that was there, so nothing needs to be read.
ALTER TABLE events DROP CONSTRAINT events_state_check;
ALTER TABLE events ADD CONSTRAINT events_state_check
  CHECK (state IN ('waiting', 'extracted', 'gone', 'rejected', 'ignored')) NOT VALID;
ALTER TABLE tenant_counters ADD COLUMN ignored bigint NOT NULL DEFAULT 0;

WITH moved AS (
  UPDATE events SET state = 'ignored'
  WHERE state = 'rejected' AND conversation_id IS NULL AND reason IN ('not_about_a_conversation', 'unknown_type')
  RETURNING tenant_id
), sums AS (
  SELECT tenant_id, count(*) AS events FROM moved GROUP BY tenant_id
)
UPDATE tenant_counters c SET rejected = c.rejected - sums.events, ignored = c.ignored + sums.events
FROM sums WHERE c.tenant_id = sums.tenant_id;

-- For the trim. Made by one walk over the table, which holds 30 days; writes wait for it, and meanwhile deliveries are in SQS.
CREATE INDEX events_ignored ON events (taken_at) WHERE state = 'ignored';
