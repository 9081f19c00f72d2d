//! A person speaks in the place of the agents (P8.8). Other features ask `check.rs`, which is below
//! them; `lead.rs`, above them, changes turns.

pub(super) mod check;
pub(super) mod heard;
pub(super) mod lead;
pub(super) mod part;
pub(super) mod state;
