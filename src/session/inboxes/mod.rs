//! The inboxes that hear of this session (P15): whoever takes part, and whoever something waits
//! for.
//!
//! No row says what an inbox is owed: it is whatever changed after the place up to which it was
//! told. So a change costs nothing at its time, and telling twice does no harm.

pub(super) mod follow;
mod let_go;
pub(super) mod part;
pub(super) mod state;
