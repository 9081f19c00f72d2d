CREATE TABLE granted(
  serial INTEGER PRIMARY KEY,
  body TEXT
);
