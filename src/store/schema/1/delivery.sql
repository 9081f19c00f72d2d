CREATE TABLE delivery(
  number INTEGER PRIMARY KEY,
  kind INTEGER,
  target TEXT,
  attempts INTEGER,
  created_at INTEGER,
  due_at INTEGER,
  dead_at INTEGER,
  reason TEXT,
  id TEXT,
  body TEXT,
  subject INTEGER,
  rounds INTEGER
);
