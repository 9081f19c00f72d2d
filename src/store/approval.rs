//! Approvals: one row each, which every change of the approval rewrites (P8).
//!
//! A row of `approval` is one approval. Few sessions ask for any, so the table is made with the
//! first. What it is stands in `body`; the other columns are there to find it by:
//!
//! | column | holds |
//! | --- | --- |
//! | `serial` | its place: where it was asked for |
//! | `version` | the place of its latest change |
//! | `id` | its id; that of an approval that is gone may come again |
//! | `pending` | 1 while it waits for an answer, then NULL |
//! | `body` | an [`Approval`], as JSON |

use super::change::{self, Kind};
use super::error::StoreError;
use super::row::Row;
use super::schema::{Rare, Tables};
use super::sql::{Sql, Value};
use super::store::Store;
use super::stored::Stored;
use crate::protocol::approval::Approval;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{REPLAY_ENTRIES, TRIM_ROWS};
use crate::protocol::serial::Place;

/// An approval as it now is, and an entry for what happened to it at its version.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalWrite {
    /// The approval.
    pub approval: Approval,
    /// Who did it; `None` for the session itself.
    pub client: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Stored for ApprovalWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        let (approval, client) = (&self.approval, self.client.as_deref());
        put_row(sql, approval)?;
        let kind = Kind::Approval(approval.event);
        change::add(sql, approval.version, kind, approval.place, client, self.at)
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Approval)
    }

    fn bytes(&self) -> usize {
        serde_json::to_string(&self.approval).map_or(0, |body| body.len())
    }
}

macro_rules! put {
    () => {
        "INSERT INTO approval(serial, version, id, pending, body) VALUES(?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT(serial) DO UPDATE SET version=excluded.version, body=excluded.body"
    };
}

fn put_row(sql: &dyn Sql, approval: &Approval) -> Result<(), StoreError> {
    // The index is written anew only where its column is named.
    const PENDING: &str = put!();
    const SETTLED: &str = concat!(put!(), ", pending=excluded.pending");
    let body = serde_json::to_string(approval).map_err(|_| StoreError::unreadable("approval"))?;
    let is_pending = approval.is_pending();
    let params = [
        Value::number(approval.place),
        Value::number(approval.version),
        approval.id.as_str().into(),
        is_pending.then_some(1_i64).into(),
        Value::Text(body),
    ];
    sql.run(if is_pending { PENDING } else { SETTLED }, &params)
}

/// Settled approvals up to a place go, `TRIM_ROWS` at most.
pub(super) fn trim(sql: &dyn Sql, up_to: Place) -> Result<(), StoreError> {
    const IS_THERE: &str = "SELECT 1 FROM sqlite_master WHERE type='table' AND name='approval'";
    // The index would find all that are settled, of whatever age.
    const TRIM: &str = "DELETE FROM approval WHERE serial IN (SELECT serial FROM approval \
                        WHERE serial<=?1 AND version<=?1 AND +pending IS NULL \
                        ORDER BY serial LIMIT ?2)";
    if sql.query(IS_THERE, &[])?.is_empty() {
        return Ok(());
    }
    sql.run(TRIM, &[Value::number(up_to), Value::size(TRIM_ROWS)])
}

/// How many approvals changed after a place, and their bytes, as far as the first entries tell.
pub(super) fn extent(sql: &dyn Sql, after: Place) -> Result<(usize, usize), StoreError> {
    const EXTENT: &str = "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM approval \
                          WHERE serial IN (SELECT subject FROM change WHERE serial>?1 \
                          AND kind BETWEEN ?2 AND ?3)";
    let [first, last] = Kind::OF_APPROVALS.map(Value::Integer);
    let mut row = Row::only(sql.query(EXTENT, &[Value::number(after), first, last])?)?;
    Ok((row.size()?, row.size()?))
}

impl Store {
    /// All approvals that are pending, by place. Two rows each.
    pub fn pending_approvals(&self) -> Result<Vec<Approval>, StoreError> {
        const PENDING: &str = "SELECT body FROM approval WHERE pending=1 ORDER BY serial";
        self.approvals_of(PENDING, &[])
    }

    /// A settled approval by its id. Two rows.
    pub fn settled_approval(&self, id: &str) -> Result<Option<Approval>, StoreError> {
        const SETTLED: &str = "SELECT body FROM approval WHERE pending IS NULL AND id=?1 \
                               ORDER BY serial DESC LIMIT 1";
        Ok(self.approvals_of(SETTLED, &[id.into()])?.pop())
    }

    /// The approvals that changed after a place, by their latest change; at most `limit`, as far
    /// as the first `REPLAY_ENTRIES` entries tell. A row for each entry, and one for each approval.
    pub fn changed_approvals(
        &self,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        const CHANGED: &str = "SELECT body FROM approval WHERE serial IN (SELECT subject \
                               FROM (SELECT subject, kind FROM change WHERE serial>?1 \
                               ORDER BY serial LIMIT ?5) WHERE kind BETWEEN ?2 AND ?3) \
                               ORDER BY version LIMIT ?4";
        let [first, last] = Kind::OF_APPROVALS.map(Value::Integer);
        let [most, entries] = [limit, REPLAY_ENTRIES].map(Value::size);
        self.approvals_of(CHANGED, &[Value::number(after), first, last, most, entries])
    }

    /// The newest approvals before a place, the newest first, at most so many and about so many
    /// bytes, but one at least; and whether there are more. Two rows each.
    pub fn approvals_before(
        &self,
        before: Place,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<Approval>, bool), StoreError> {
        const SIZES: &str = "SELECT octet_length(body) FROM approval WHERE serial<?1 \
                             ORDER BY serial DESC LIMIT ?2";
        const BEFORE: &str = "SELECT body FROM approval WHERE serial<?1 \
                              ORDER BY serial DESC LIMIT ?2";
        if !self.tables()?.has(Rare::Approval) {
            return Ok((Vec::new(), false));
        }
        let most = Value::size(limit.saturating_add(1));
        let rows = self.sql().query(SIZES, &[Value::number(before), most])?;
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
        let page = self.approvals_of(BEFORE, &[Value::number(before), Value::size(fitting)])?;
        Ok((page, fitting < sizes.len()))
    }

    fn approvals_of(&self, statement: &str, params: &[Value]) -> Result<Vec<Approval>, StoreError> {
        if !self.tables()?.has(Rare::Approval) {
            return Ok(Vec::new());
        }
        let approval = |mut row: Row| {
            serde_json::from_str(&row.text()?).map_err(|_| StoreError::unreadable("approval"))
        };
        Row::all(self.sql().query(statement, params)?)
            .map(approval)
            .collect()
    }
}
