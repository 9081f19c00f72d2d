CREATE TABLE message(
  serial INTEGER PRIMARY KEY,
  version INTEGER,
  seq INTEGER,
  status TEXT,
  client TEXT,
  connection TEXT,
  id TEXT,
  name TEXT,
  role TEXT,
  turn TEXT,
  parent INTEGER,
  headers TEXT,
  cancel TEXT,
  created_at INTEGER,
  updated_at INTEGER,
  deleted_at INTEGER,
  marks TEXT,
  json TEXT,
  data TEXT
);
CREATE INDEX message_open ON message(serial) WHERE status='streaming';
CREATE INDEX message_id ON message(client, id) WHERE id IS NOT NULL;
CREATE INDEX message_turn ON message(turn) WHERE turn IS NOT NULL AND deleted_at IS NULL;
