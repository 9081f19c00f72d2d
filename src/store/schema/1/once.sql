CREATE TABLE once(
  client TEXT,
  kind INTEGER,
  id TEXT,
  serial INTEGER,
  at INTEGER,
  PRIMARY KEY(client, kind, id)
) WITHOUT ROWID;
CREATE INDEX once_at ON once(at);
