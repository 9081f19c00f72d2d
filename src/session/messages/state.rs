//! What retention knows without looking at rows.

use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;

/// What retention waits for.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    /// The oldest message that retention may take, and when it was created.
    pub(crate) oldest: Option<(Place, Timestamp)>,
}
