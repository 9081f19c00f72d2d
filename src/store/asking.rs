//! Askings: what agents ask of people and of devices, in tables of one form (P8.1, P8.9).
//!
//! A row of `approval` or `call` is one asking, which every change of it rewrites. Few sessions
//! have any, so a table is made with its first row. The row is the entry of its request as well, as
//! that of a message is; each later change has one in `change`. The asking itself is in `body`; the
//! other columns serve look-ups:
//!
//! | column | holds |
//! | --- | --- |
//! | `serial` | its place: where it was asked |
//! | `version` | the place of its latest change |
//! | `id` | its id; that of an asking that is gone may come again |
//! | `pending` | 1 while it waits, then NULL |
//! | `body` | the asking, as JSON |

use super::change::Kind;
use super::error::StoreError;
use super::row::Row;
use super::schema::Rare;
use super::sql::{Sql, Value};
use super::store::Store;
use crate::ordered::Map;
use crate::protocol::approval;
use crate::protocol::call;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{REPLAY_ENTRIES, REPLAY_MESSAGES, TRIM_ROWS};
use crate::protocol::serial::Place;

/// A table of askings, and its statements.
pub(super) struct Askings {
    /// The table.
    rare: Rare,
    /// The first and the last number of its entries in the log.
    kinds: [i64; 2],
    is_there: &'static str,
    put_pending: &'static str,
    put_settled: &'static str,
    trim: &'static str,
    extent: &'static str,
    newest: &'static str,
    pending: &'static str,
    settled: &'static str,
    changed: &'static str,
    sizes: &'static str,
    before: &'static str,
    asked: &'static str,
    ids: &'static str,
    /// The event of a request, which has no row in `change`.
    event: &'static str,
}

/// The statements of a table. The index is written anew only where its column is named.
macro_rules! askings {
    ($table:literal, $rare:expr, $kinds:expr, $event:expr) => {
        Askings {
            event: $event,
            rare: $rare,
            kinds: $kinds,
            is_there: concat!(
                "SELECT 1 FROM sqlite_master WHERE type='table' AND name='",
                $table,
                "'"
            ),
            put_pending: askings!(@put $table, ""),
            put_settled: askings!(@put $table, ", pending=excluded.pending"),
            // The index would find all that are settled, of whatever age.
            trim: concat!(
                "DELETE FROM ",
                $table,
                " WHERE serial IN (SELECT serial FROM ",
                $table,
                " WHERE serial<=?1 AND version<=?1 AND +pending IS NULL ORDER BY serial LIMIT ?2)"
            ),
            extent: concat!(
                "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM ",
                $table,
                " WHERE serial IN (SELECT subject FROM change WHERE serial>?1 \
                 AND kind BETWEEN ?2 AND ?3 UNION SELECT * FROM (SELECT serial FROM ",
                $table,
                " WHERE serial>?1 ORDER BY serial LIMIT ?4))"
            ),
            newest: concat!(
                "SELECT serial, json_extract(body, '$.created_at') FROM ",
                $table,
                " ORDER BY serial DESC LIMIT 1"
            ),
            pending: concat!("SELECT body FROM ", $table, " WHERE pending=1 ORDER BY serial"),
            settled: concat!(
                "SELECT body FROM ",
                $table,
                " WHERE pending IS NULL AND id=?1 ORDER BY serial DESC LIMIT 1"
            ),
            changed: concat!(
                "SELECT body FROM ",
                $table,
                " WHERE serial IN (SELECT subject FROM (SELECT subject, kind FROM change \
                 WHERE serial>?1 ORDER BY serial LIMIT ?5) WHERE kind BETWEEN ?2 AND ?3 \
                 UNION SELECT * FROM (SELECT serial FROM ",
                $table,
                " WHERE serial>?1 ORDER BY serial LIMIT ?4)) ORDER BY version LIMIT ?4"
            ),
            sizes: concat!(
                "SELECT octet_length(body) FROM ",
                $table,
                " WHERE serial<?1 ORDER BY serial DESC LIMIT ?2"
            ),
            before: concat!(
                "SELECT body FROM ",
                $table,
                " WHERE serial<?1 ORDER BY serial DESC LIMIT ?2"
            ),
            asked: concat!(
                "SELECT serial, id, json_extract(body, '$.created_at'), \
                 json_extract(body, '$.client'), json_extract(body, '$.turn') FROM ",
                $table,
                " WHERE serial>?1 ORDER BY serial LIMIT ?2"
            ),
            ids: concat!(
                "SELECT serial, id FROM ",
                $table,
                " WHERE serial IN (SELECT value FROM json_each(?1))"
            ),
        }
    };
    (@put $table:literal, $more:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            "(serial, version, id, pending, body) VALUES(?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT(serial) DO UPDATE SET version=excluded.version, body=excluded.body",
            $more
        )
    };
}

/// The table of approvals.
pub(super) static APPROVALS: Askings = askings!(
    "approval",
    Rare::Approval,
    Kind::OF_APPROVALS,
    approval::Event::Request.as_str()
);

/// The table of calls.
pub(super) static CALLS: Askings = askings!(
    "call",
    Rare::Call,
    Kind::OF_CALLS,
    call::Event::Call.as_str()
);

/// Every table of askings.
pub(super) static ALL: [&Askings; 2] = [&APPROVALS, &CALLS];

/// An asking as its row.
pub(super) struct Asking<'a> {
    pub(super) place: Place,
    pub(super) version: Place,
    pub(super) id: &'a str,
    pub(super) is_pending: bool,
    pub(super) body: String,
}

/// A request as an entry of the log.
pub(super) struct Asked {
    pub(super) place: Place,
    pub(super) what: &'static str,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) client: Option<String>,
    pub(super) turn: Option<String>,
}

impl Askings {
    /// Writes an asking.
    pub(super) fn put(&self, sql: &dyn Sql, asking: Asking<'_>) -> Result<(), StoreError> {
        let params = [
            Value::number(asking.place),
            Value::number(asking.version),
            asking.id.into(),
            asking.is_pending.then_some(1_i64).into(),
            Value::Text(asking.body),
        ];
        let put = match asking.is_pending {
            true => self.put_pending,
            false => self.put_settled,
        };
        sql.run(put, &params)
    }

    /// Deletes settled ones up to a place, `TRIM_ROWS` at most.
    pub(super) fn trim(&self, sql: &dyn Sql, up_to: Place) -> Result<(), StoreError> {
        if sql.query(self.is_there, &[])?.is_empty() {
            return Ok(());
        }
        sql.run(self.trim, &[Value::number(up_to), Value::size(TRIM_ROWS)])
    }

    /// How many changed after a place, and their bytes, as far as the first entries tell.
    pub(super) fn extent(&self, store: &Store, after: Place) -> Result<(usize, usize), StoreError> {
        if !store.tables()?.has(self.rare) {
            return Ok((0, 0));
        }
        let [first, last] = self.kinds.map(Value::Integer);
        let most = Value::size(REPLAY_MESSAGES + 1);
        let params = [Value::number(after), first, last, most];
        let mut row = Row::only(store.sql().query(self.extent, &params)?)?;
        Ok((row.size()?, row.size()?))
    }

    /// The place of the newest, and its time.
    pub(super) fn newest(&self, sql: &dyn Sql) -> Result<Option<(Place, Timestamp)>, StoreError> {
        if sql.query(self.is_there, &[])?.is_empty() {
            return Ok(None);
        }
        let row = Row::first(sql.query(self.newest, &[])?);
        row.map(|mut row| Ok((row.number()?, row.integer()?)))
            .transpose()
    }

    /// The bodies of all that are pending, by place.
    pub(super) fn pending(&self, store: &Store) -> Result<Vec<String>, StoreError> {
        self.bodies(store, self.pending, &[])
    }

    /// The body of a settled one, by its id.
    pub(super) fn settled(&self, store: &Store, id: &str) -> Result<Option<String>, StoreError> {
        Ok(self.bodies(store, self.settled, &[id.into()])?.pop())
    }

    /// The bodies of those that changed after a place, by their latest change; at most `limit`, as
    /// far as the first `REPLAY_ENTRIES` entries tell.
    pub(super) fn changed(
        &self,
        store: &Store,
        after: Place,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let [first, last] = self.kinds.map(Value::Integer);
        let [most, entries] = [limit, REPLAY_ENTRIES].map(Value::size);
        let params = [Value::number(after), first, last, most, entries];
        self.bodies(store, self.changed, &params)
    }

    /// The bodies of the newest before a place, the newest first, at most so many and about so
    /// many bytes, but one at least; and whether there are more.
    pub(super) fn before(
        &self,
        store: &Store,
        before: Place,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<String>, bool), StoreError> {
        if !store.tables()?.has(self.rare) {
            return Ok((Vec::new(), false));
        }
        let most = Value::size(limit.saturating_add(1));
        let rows = store
            .sql()
            .query(self.sizes, &[Value::number(before), most])?;
        let sizes: Result<Vec<usize>, StoreError> =
            Row::all(rows).map(|mut row| row.size()).collect();
        let sizes = sizes?;
        let mut total = 0;
        let fitting = sizes
            .iter()
            .take(limit)
            .enumerate()
            .take_while(|(index, size)| {
                total += *size;
                *index == 0 || total <= bytes
            });
        let fitting = fitting.count();
        let params = [Value::number(before), Value::size(fitting)];
        let page = self.bodies(store, self.before, &params)?;
        Ok((page, fitting < sizes.len()))
    }

    /// The requests after a place, so many at most. Two rows each.
    pub(super) fn asked(&self, store: &Store, params: &[Value]) -> Result<Vec<Asked>, StoreError> {
        if !store.tables()?.has(self.rare) {
            return Ok(Vec::new());
        }
        let asked = |mut row: Row| {
            Ok(Asked {
                place: row.number()?,
                what: self.event,
                id: row.text()?,
                at: row.integer()?,
                client: row.maybe_text()?,
                turn: row.maybe_text()?,
            })
        };
        let rows = store.sql().query(self.asked, params)?;
        Row::all(rows).map(asked).collect()
    }

    /// The ids of those at some places, given as a list in JSON. Two rows each.
    pub(super) fn ids(
        &self,
        store: &Store,
        places: Value,
    ) -> Result<Map<Place, String>, StoreError> {
        match store.tables()?.has(self.rare) {
            true => ids(store.sql(), self.ids, places),
            false => Ok(Map::new()),
        }
    }

    fn bodies(
        &self,
        store: &Store,
        statement: &str,
        params: &[Value],
    ) -> Result<Vec<String>, StoreError> {
        if !store.tables()?.has(self.rare) {
            return Ok(Vec::new());
        }
        let rows = Row::all(store.sql().query(statement, params)?);
        rows.map(|mut row| row.text()).collect()
    }
}

/// The ids in rows of a place and an id, for a list of places in JSON.
pub(super) fn ids(
    sql: &dyn Sql,
    statement: &str,
    places: Value,
) -> Result<Map<Place, String>, StoreError> {
    let mut ids = Map::new();
    for mut row in Row::all(sql.query(statement, &[places])?) {
        ids.insert(row.number()?, row.text()?);
    }
    Ok(ids)
}
