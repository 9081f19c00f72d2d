CREATE TABLE annotation(
  message INTEGER,
  kind TEXT,
  name TEXT,
  client TEXT,
  serial INTEGER,
  count INTEGER,
  at INTEGER,
  data TEXT,
  PRIMARY KEY(message, kind, name, client, serial)
) WITHOUT ROWID;
CREATE TABLE summary(
  message INTEGER PRIMARY KEY,
  version INTEGER,
  rows INTEGER,
  body TEXT
);
