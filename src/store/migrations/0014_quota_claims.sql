-- What each worker uses of an organization's quota at Gladly, told every two seconds while it is at work for it. It is of no use a minute later, so it is not
-- logged: after a crash of Postgres it is empty.
CREATE UNLOGGED TABLE quota_claims (
  host text NOT NULL,
  method text NOT NULL,
  worker text NOT NULL,
  seen_at timestamptz NOT NULL,
  -- Requests a second.
  wants double precision NOT NULL,
  claims double precision NOT NULL,
  peak int NOT NULL,
  PRIMARY KEY (host, method, worker)
) WITH (fillfactor = 50);
