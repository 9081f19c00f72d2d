//! Real SQLite below the store, for `cargo test`. A clone is the same database, so that a
//! session can be loaded again from what it left behind.

use std::cell::Cell;
use std::rc::Rc;

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use sessile::store::StoreError;
use sessile::store::sql::{Sql, Value};

/// A database in memory, and how much was done to it.
#[derive(Clone, Debug)]
pub(crate) struct Sqlite {
    connection: Rc<Connection>,
    counts: Rc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    reads: Cell<u64>,
    writes: Cell<u64>,
    transactions: Cell<u64>,
    rows_read: Cell<u64>,
    steps: Cell<u64>,
    fails_after: Cell<Option<u64>>,
    is_full: Cell<bool>,
}

fn add(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
}

#[allow(dead_code, reason = "each test crate uses what it needs")]
impl Sqlite {
    /// A new database, empty.
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().expect("a database in memory");
        connection.set_prepared_statement_cache_capacity(200);
        Self {
            connection: Rc::new(connection),
            counts: Rc::default(),
        }
    }

    /// A new database in a file.
    pub(crate) fn at(place: &std::path::Path) -> Self {
        let connection = Connection::open(place).expect("a database in a file");
        let fast = "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY";
        connection.execute_batch(fast).expect("statements");
        connection.set_prepared_statement_cache_capacity(200);
        Self {
            connection: Rc::new(connection),
            counts: Rc::default(),
        }
    }

    /// Whether the file of the database has these bytes anywhere.
    pub(crate) fn has_bytes(&self, place: &std::path::Path, text: &str) -> bool {
        let bytes = std::fs::read(place).expect("the file");
        let mut parts = bytes.windows(text.len());
        parts.any(|part| part == text.as_bytes())
    }

    /// Statements that read.
    pub(crate) fn reads(&self) -> u64 {
        self.counts.reads.get()
    }

    /// Statements that write.
    pub(crate) fn writes(&self) -> u64 {
        self.counts.writes.get()
    }

    /// Transactions.
    pub(crate) fn transactions(&self) -> u64 {
        self.counts.transactions.get()
    }

    /// Steps of SQLite's machine: every row that a statement looks at takes a few, given back or
    /// not.
    pub(crate) fn steps(&self) -> u64 {
        self.counts.steps.get()
    }

    /// Rows of tables that were written; what indexes cost is not in it.
    pub(crate) fn rows_written(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Lets so many more statements through, and fails all that follow; `None` for no end.
    pub(crate) fn fail_after(&self, statements: Option<u64>) {
        self.counts.fails_after.set(statements);
    }

    /// Takes nothing more, or takes it again.
    pub(crate) fn fill(&self, is_full: bool) {
        self.counts.is_full.set(is_full);
    }

    /// Runs statements that no store would.
    pub(crate) fn batch(&self, sql: &str) {
        self.connection.execute_batch(sql).expect("statements");
    }

    /// The rows of a table.
    pub(crate) fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = self.connection.query_row(&sql, [], |row| row.get(0));
        count.expect("a count")
    }

    /// The tables that there are.
    pub(crate) fn tables(&self) -> Vec<String> {
        // An index of words consists of tables of its own.
        let sql = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'said\\_%' \
                   ESCAPE '\\' ORDER BY name";
        let mut statement = self.connection.prepare(sql).expect("a statement");
        let names = statement.query_map([], |row| row.get(0)).expect("names");
        names.collect::<Result<_, _>>().expect("names")
    }
}

/// The value bound to a parameter.
struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn failed(error: &rusqlite::Error) -> StoreError {
    StoreError(error.to_string())
}

fn value(value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(integer) => Ok(Value::Integer(integer)),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(error) => Err(StoreError(error.to_string())),
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(StoreError(format!("workerd would not give {value:?} back")))
        }
    }
}

impl Sql for Sqlite {
    /// Rows that were given back.
    fn rows_read(&self) -> u64 {
        self.counts.rows_read.get()
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        if let Some(left) = self.counts.fails_after.get() {
            if left == 0 {
                return Err(StoreError("the disk is gone".to_owned()));
            }
            self.counts.fails_after.set(Some(left - 1));
        }
        assert!(params.len() <= 100, "workerd binds at most 100 parameters");
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| failed(&error))?;
        let deletes = sql.trim_start().starts_with("DELETE");
        if self.counts.is_full.get() && !statement.readonly() && !deletes {
            let error = "database or disk is full: SQLITE_FULL";
            return Err(StoreError(error.to_owned()));
        }
        add(if statement.readonly() {
            &self.counts.reads
        } else {
            &self.counts.writes
        });
        let columns = statement.column_count();
        let params = rusqlite::params_from_iter(params.iter().map(Bound));
        let mut rows = statement.query(params).map_err(|error| failed(&error))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            add(&self.counts.rows_read);
            let cells = (0..columns)
                .map(|index| value(row.get_ref(index).map_err(|error| failed(&error))?));
            all.push(cells.collect::<Result<Vec<_>, _>>()?);
        }
        drop(rows);
        let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
        let steps = self.counts.steps.get() + u64::try_from(steps).unwrap_or(0);
        self.counts.steps.set(steps);
        Ok(all)
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        let pragma = |name| -> u32 {
            let found = self
                .connection
                .pragma_query_value(None, name, |row| row.get(0));
            found.expect("a number")
        };
        let pages = pragma("page_count") - pragma("freelist_count");
        Ok(u64::from(pages) * u64::from(pragma("page_size")))
    }

    fn transaction(
        &self,
        body: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        add(&self.counts.transactions);
        let run = |sql: &str| {
            self.connection
                .execute_batch(sql)
                .map_err(|error| failed(&error))
        };
        run("BEGIN")?;
        match body() {
            Ok(()) => run("COMMIT"),
            Err(error) => {
                run("ROLLBACK")?;
                Err(error)
            }
        }
    }
}
