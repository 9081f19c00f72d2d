CREATE TABLE meta(
  schema INTEGER,
  epoch TEXT,
  created_at INTEGER,
  floor INTEGER,
  written_at INTEGER,
  trimmed_at INTEGER,
  settings TEXT,
  contacts TEXT
);
