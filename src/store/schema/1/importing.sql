CREATE TABLE importing(
  id INTEGER PRIMARY KEY,
  source TEXT,
  lines INTEGER,
  held INTEGER,
  at INTEGER,
  cursor TEXT
);
