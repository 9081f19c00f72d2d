CREATE TABLE file(
  id TEXT PRIMARY KEY,
  name TEXT,
  type TEXT,
  bytes INTEGER,
  client TEXT,
  created_at INTEGER,
  is_whole INTEGER,
  upload TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX file_upload ON file(client, upload) WHERE upload IS NOT NULL;
CREATE INDEX file_arriving ON file(id) WHERE is_whole=0;
