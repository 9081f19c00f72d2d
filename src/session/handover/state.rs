//! The hand-over in memory.

use crate::protocol::handover::Handover;
use crate::protocol::ids::Timestamp;

/// A hand-over that has not ended.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) handover: Handover,
    /// When the person was last heard, for certain.
    pub(crate) heard_at: Timestamp,
    /// When that may have been since, as far as anybody knows who has just woken up.
    pub(crate) perhaps_at: Timestamp,
    /// The same as its row has it.
    pub(crate) kept_at: Timestamp,
}

impl Held {
    /// Whether this client leads.
    pub(crate) fn is_by(&self, client: &str) -> bool {
        self.handover.lead.client == client
    }
}
