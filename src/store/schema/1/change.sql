CREATE TABLE change(
  serial INTEGER PRIMARY KEY,
  kind INTEGER,
  subject INTEGER,
  client TEXT,
  at INTEGER
);
