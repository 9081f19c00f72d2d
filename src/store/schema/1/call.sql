CREATE TABLE call(
  serial INTEGER PRIMARY KEY,
  version INTEGER,
  id TEXT,
  pending INTEGER,
  body TEXT
);
CREATE INDEX call_id ON call(pending, id);
