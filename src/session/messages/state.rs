//! Retention's state, which saves it from reading rows.

use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// The time that retention waits for.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    /// The oldest message that retention may remove, and its creation time.
    pub(crate) oldest: Option<(Place, Timestamp)>,
}
