-- Conversations whose readings keep failing: few, and asked for at the end of every drain.
CREATE INDEX pending_failing ON pending_conversations (tenant_id, conversation_id) WHERE attempts >= 3;
