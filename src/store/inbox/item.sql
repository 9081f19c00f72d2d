CREATE TABLE item(
  session TEXT,
  kind INTEGER,
  id TEXT,
  version INTEGER,
  state INTEGER,
  at INTEGER,
  epoch TEXT,
  begun_at INTEGER,
  place INTEGER,
  body TEXT,
  PRIMARY KEY(session, kind, id)
) WITHOUT ROWID;
