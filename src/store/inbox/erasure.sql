CREATE TABLE IF NOT EXISTS erasure(
  id INTEGER PRIMARY KEY,
  state INTEGER,
  begun_at INTEGER,
  ended_at INTEGER,
  deleted INTEGER
);
