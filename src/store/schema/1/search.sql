CREATE TABLE searched(
  place INTEGER NOT NULL,
  floor INTEGER NOT NULL
);
CREATE VIRTUAL TABLE said USING fts5(
  text,
  tokenize='unicode61 remove_diacritics 2'
);
INSERT INTO said(said, rank) VALUES('secure-delete', 1);
