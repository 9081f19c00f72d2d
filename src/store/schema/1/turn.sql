CREATE TABLE turn(
  serial INTEGER PRIMARY KEY,
  version INTEGER,
  id TEXT,
  agent TEXT,
  input INTEGER,
  open INTEGER,
  heard_at INTEGER,
  body TEXT
);
CREATE INDEX turn_id ON turn(id);
CREATE INDEX turn_input ON turn(input) WHERE input IS NOT NULL;
CREATE INDEX turn_open ON turn(open) WHERE open IS NOT NULL;
