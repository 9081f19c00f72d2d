CREATE TABLE segment(
  id INTEGER PRIMARY KEY,
  version INTEGER,
  seq INTEGER,
  start INTEGER,
  updated_at INTEGER,
  marks TEXT,
  data TEXT
);
