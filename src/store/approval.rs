//! Approvals: one row each, of the form that all askings have (P8). `body` is an [`Approval`].

use super::asking::{APPROVALS, Asking};
use super::change::{self, Kind};
use super::error::StoreError;
use super::schema::{Rare, Tables};
use super::sql::Sql;
use super::store::Store;
use super::stored::Stored;
use crate::protocol::approval::Approval;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// A changed approval, with an entry for the change at its version.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalWrite {
    /// The approval.
    pub approval: Approval,
    /// The client; `None` for the session itself.
    pub client: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Stored for ApprovalWrite {
    fn store(&self, sql: &dyn Sql) -> Result<(), StoreError> {
        let (approval, client) = (&self.approval, self.client.as_deref());
        let body =
            serde_json::to_string(approval).map_err(|_| StoreError::unreadable("approval"))?;
        let asking = Asking {
            place: approval.place,
            version: approval.version,
            id: &approval.id,
            is_pending: approval.is_pending(),
            body,
        };
        APPROVALS.put(sql, asking)?;
        if approval.version == approval.place {
            return Ok(());
        }
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

fn read(body: &str) -> Result<Approval, StoreError> {
    serde_json::from_str(body).map_err(|_| StoreError::unreadable("approval"))
}

impl Store {
    /// All approvals that are pending, by place. Two rows each.
    pub fn pending_approvals(&self) -> Result<Vec<Approval>, StoreError> {
        APPROVALS
            .pending(self)?
            .iter()
            .map(|body| read(body))
            .collect()
    }

    /// A settled approval by its id. Two rows.
    pub fn settled_approval(&self, id: &str) -> Result<Option<Approval>, StoreError> {
        APPROVALS
            .settled(self, id)?
            .as_deref()
            .map(read)
            .transpose()
    }

    /// The approvals that changed after a place, by their latest change; at most `limit`, as far
    /// as the first `REPLAY_ENTRIES` entries tell. A row for each entry, and one for each approval.
    pub fn changed_approvals(
        &self,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        let changed = APPROVALS.changed(self, after, limit)?;
        changed.iter().map(|body| read(body)).collect()
    }

    /// The newest approvals before a place, the newest first, at most so many and about so many
    /// bytes, but one at least; and whether there are more. Two rows each.
    pub fn approvals_before(
        &self,
        before: Place,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<Approval>, bool), StoreError> {
        let (page, has_more) = APPROVALS.before(self, before, limit, bytes)?;
        let page: Result<Vec<Approval>, StoreError> = page.iter().map(|body| read(body)).collect();
        Ok((page?, has_more))
    }
}
