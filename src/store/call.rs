//! Calls of tools: one row each, of the form that all askings have (P8.9). `body` is a [`Call`].

use super::asking::{Asking, CALLS};
use super::change::{self, Kind};
use super::error::StoreError;
use super::schema::{Rare, Tables};
use super::sql::Sql;
use super::store::Store;
use super::stored::Stored;
use crate::protocol::call::Call;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// A changed call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallWrite {
    /// The call.
    pub call: Call,
    /// The client; `None` for the session itself.
    pub client: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether the change is an entry of the log, at the call's version.
    pub is_entry: bool,
}

impl Stored for CallWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        let (call, client) = (&self.call, self.client.as_deref());
        let body = serde_json::to_string(call).map_err(|_| StoreError::unreadable("call"))?;
        let asking = Asking {
            place: call.place,
            version: call.version,
            id: &call.id,
            is_pending: call.is_pending(),
            body,
        };
        CALLS.put(sql, asking)?;
        if !self.is_entry {
            return Ok(());
        }
        if call.version == call.place {
            return Ok(());
        }
        let kind = Kind::Call(call.event);
        change::add(sql, call.version, kind, call.place, client, self.at)
    }

    fn make_tables(&self, sql: &dyn Sql, tables: &mut Tables) -> Result<(), StoreError> {
        tables.add(sql, Rare::Call)
    }

    fn bytes(&self) -> usize {
        serde_json::to_string(&self.call).map_or(0, |body| body.len())
    }
}

fn read(body: &str) -> Result<Call, StoreError> {
    serde_json::from_str(body).map_err(|_| StoreError::unreadable("call"))
}

impl Store {
    /// All calls that are pending, by place. Two rows each.
    pub fn pending_calls(&self) -> Result<Vec<Call>, StoreError> {
        CALLS.pending(self)?.iter().map(|body| read(body)).collect()
    }

    /// A settled call by its id. Two rows.
    pub fn settled_call(&self, id: &str) -> Result<Option<Call>, StoreError> {
        CALLS.settled(self, id)?.as_deref().map(read).transpose()
    }

    /// The calls that changed after a place, by their latest change; at most `limit`, as far as
    /// the first `REPLAY_ENTRIES` entries tell. A row for each entry, and one for each call.
    pub fn changed_calls(&self, after: Place, limit: usize) -> Result<Vec<Call>, StoreError> {
        CALLS
            .changed(self, after, limit)?
            .iter()
            .map(|body| read(body))
            .collect()
    }

    /// The newest calls before a place, the newest first, at most so many and about so many bytes,
    /// but one at least; and whether there are more. Two rows each.
    pub fn calls_before(
        &self,
        before: Place,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<Call>, bool), StoreError> {
        let (page, has_more) = CALLS.before(self, before, limit, bytes)?;
        let page: Result<Vec<Call>, StoreError> = page.iter().map(|body| read(body)).collect();
        Ok((page?, has_more))
    }
}
