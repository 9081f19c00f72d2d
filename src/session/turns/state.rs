//! Turns that are not final, in memory.

use std::collections::BTreeMap;

use crate::protocol::ids::Timestamp;
use crate::protocol::turn::Turn;

/// A turn that is not final, in memory.
#[derive(Debug)]
pub(in crate::session) struct OpenTurn {
    pub(in crate::session) turn: Turn,
    /// When its leader was last heard, for certain.
    pub(in crate::session) heard_at: Timestamp,
    /// When it may have been heard since, as far as anybody knows who has just woken up.
    pub(in crate::session) perhaps_at: Timestamp,
    /// What its row knows of that.
    pub(in crate::session) kept_at: Timestamp,
}

/// The turns that are not final, by id.
pub(in crate::session) type Turns = BTreeMap<String, OpenTurn>;
