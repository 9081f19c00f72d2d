//! The hand-over in memory.

use crate::protocol::handover::Handover;
use crate::protocol::ids::Timestamp;

/// A hand-over that has not ended.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) handover: Handover,
    /// When the person was last heard, for certain.
    pub(crate) heard_at: Timestamp,
    /// When the person may have been heard since, as far as a waking session can tell.
    pub(crate) perhaps_at: Timestamp,
    /// The time in its row.
    pub(crate) kept_at: Timestamp,
}

impl Held {
    /// Whether this client leads.
    pub(crate) fn is_by(&self, client: &str) -> bool {
        self.handover.lead.client == client
    }
}
