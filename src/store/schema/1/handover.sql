CREATE TABLE handover(
  id INTEGER PRIMARY KEY,
  heard_at INTEGER,
  body TEXT
);
