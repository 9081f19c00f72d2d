//! The wakes that may go out, in memory.

use crate::ordered::Map;
use crate::protocol::serial::Place;

/// The inputs and turns whose turn it is to be taken.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    /// Whether something changed that decides about that, beside the deliveries.
    pub(crate) is_stale: bool,
    /// Whether anything was owed then.
    pub(super) is_owing: bool,
    /// The deliveries that it was decided for (`Queue::changes`).
    pub(super) seen: u64,
    /// The places of those inputs and turns, each with the end of the log when its turn came.
    pub(super) ready: Map<Place, Place>,
    /// The inbox that lists them, for an agent that cannot be called (P15.3).
    pub(super) inbox: Option<String>,
}
