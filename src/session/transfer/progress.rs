//! An import or a fork in memory: how far it has come (P11.6).

use crate::protocol::ids::{Timestamp, after};
use crate::protocol::limits::{FORK_AGAIN_MS, FORK_MS, IMPORT_MS};
use crate::protocol::serial::Epoch;
use crate::protocol::transfer::Origin;
use crate::store::{Importing, Store, StoreError};

/// An import, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The epoch of the session that is imported.
    pub(super) epoch: Epoch,
    /// The session that a fork comes from.
    pub(super) origin: Option<Origin>,
    /// When a fork last looked whether it waits for lines, since the session woke.
    pub(super) looked_at: Timestamp,
    /// Whether it waits for lines: it asked for some, and the call goes on.
    pub(super) is_asking: bool,
    pub(super) so_far: Importing,
}

impl Progress {
    /// When it is thrown away if nothing more comes; of a fork, when it looks again.
    pub(crate) fn due_at(&self) -> Timestamp {
        let so_far = &self.so_far;
        match &so_far.cursor {
            Some(_) => after(self.looked_at.max(so_far.at), FORK_AGAIN_MS),
            None => after(so_far.at, IMPORT_MS),
        }
    }

    /// Whether nothing has come for too long.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let wait_ms = match &self.so_far.cursor {
            Some(_) => FORK_MS,
            None => IMPORT_MS,
        };
        after(self.so_far.at, wait_ms) <= now
    }

    /// The name by which the next lines go on with it.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.epoch.as_str(), self.so_far.lines)
    }
}

/// The import that a waking session was waiting for.
pub(crate) fn load(store: &Store) -> Result<Option<Progress>, StoreError> {
    let (Some(so_far), Some(beginning)) = (store.importing()?, store.beginning()?) else {
        return Ok(None);
    };
    let origin = beginning.settings.forked_from.as_ref();
    Ok(Some(Progress {
        epoch: beginning.epoch,
        origin: origin
            .filter(|_| so_far.cursor.is_some())
            .and_then(Origin::read),
        looked_at: Timestamp::MIN,
        is_asking: false,
        so_far,
    }))
}
