//! Turns that are not final, in memory.

use std::collections::BTreeMap;

use crate::protocol::ids::Timestamp;
use crate::protocol::turn::Turn;

/// A turn that is not final, in memory.
#[derive(Debug)]
pub(crate) struct OpenTurn {
    pub(crate) turn: Turn,
    /// When its leader was last heard, for certain.
    pub(crate) heard_at: Timestamp,
    /// When it may have been heard since, as far as anybody knows who has just woken up.
    pub(crate) perhaps_at: Timestamp,
    /// What its row knows of that.
    pub(crate) kept_at: Timestamp,
}

/// The turns that are not final, by id.
pub(crate) type Turns = BTreeMap<String, OpenTurn>;
