//! Turns that are not final, in memory.

use crate::ordered::Map;
use crate::protocol::ids::Timestamp;
use crate::protocol::turn::Turn;

/// A turn that is not final, in memory.
#[derive(Debug)]
pub(crate) struct OpenTurn {
    pub(crate) turn: Turn,
    /// When its leader was certainly last heard.
    pub(crate) heard_at: Timestamp,
    /// When it may have been heard since, as far as a waking session can tell.
    pub(crate) perhaps_at: Timestamp,
    /// The time of the last sign of life in its row.
    pub(crate) kept_at: Timestamp,
}

/// The turns that are not final, by id.
pub(crate) type Turns = Map<String, OpenTurn>;
