//! Presence: who is there, and how everybody is told (P7).
//!
//! A member is a connection, and is kept with it. What has changed is announced as the difference
//! to what was announced before, so that many changes together are no more than they come to.

pub(super) mod list;
pub(super) mod members;
mod roster;
pub(super) mod silence;
pub(super) mod state;
pub(super) mod tell;
