CREATE TABLE conversations (
  tenant_id text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C",
  status text,
  created_at timestamptz,
  closed_at timestamptz,
  inbox_id text COLLATE "C",
  agent_id text COLLATE "C",
  topic_ids text[] NOT NULL DEFAULT '{}',
  custom_attributes jsonb NOT NULL DEFAULT '[]',
  item_count integer NOT NULL,
  -- Gladly did not show all items (its cap of 1,000).
  limited boolean NOT NULL,
  -- Gladly's clock at the newest reading; null when it has never said the time.
  read_at timestamptz,
  feed_seq bigint NOT NULL,
  -- Gladly answered 404.
  gone_at timestamptz,
  raw jsonb NOT NULL,
  -- Tells a change without comparing JSON.
  digest text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, conversation_id)
);
CREATE UNIQUE INDEX conversations_feed ON conversations (tenant_id, feed_seq);

CREATE TABLE items (
  tenant_id text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  item_id text COLLATE "C" NOT NULL,
  type text,
  at timestamptz,
  initiator_type text,
  initiator_id text,
  responder_type text,
  responder_id text,
  direction text,
  channel text,
  subject text,
  content text,
  attachment_count integer NOT NULL,
  session_id text,
  customer_id text,
  raw jsonb NOT NULL,
  digest text COLLATE "C" NOT NULL,
  -- Two conversations of merged customers may both show an item, so its id alone is no key.
  PRIMARY KEY (tenant_id, conversation_id, item_id)
);
