//! A person speaks in the place of the agents (P8.8). What other features ask of it stands in
//! `check.rs`, below them; what it does to turns in `lead.rs`, above them.

pub(super) mod check;
pub(super) mod heard;
pub(super) mod lead;
pub(super) mod part;
pub(super) mod state;
