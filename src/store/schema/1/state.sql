CREATE TABLE state(
  slot INTEGER PRIMARY KEY,
  serial INTEGER,
  prior INTEGER,
  client TEXT,
  at INTEGER,
  body TEXT
);
