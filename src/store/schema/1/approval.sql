CREATE TABLE approval(
  serial INTEGER PRIMARY KEY,
  version INTEGER,
  id TEXT,
  pending INTEGER,
  body TEXT
);
CREATE INDEX approval_id ON approval(pending, id);
