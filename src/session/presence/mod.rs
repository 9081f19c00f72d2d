//! Presence: the members, and their announcement (P7).
//!
//! A member is a connection, and is kept with it. Changes are announced as the difference to the
//! last announcement, so that many changes together cost only their sum.

pub(super) mod list;
pub(super) mod members;
mod roster;
pub(super) mod silence;
pub(super) mod state;
pub(super) mod tell;
