CREATE TABLE device(
  id TEXT PRIMARY KEY,
  at INTEGER,
  service TEXT,
  place TEXT,
  address TEXT,
  caps TEXT,
  origin TEXT
) WITHOUT ROWID;
